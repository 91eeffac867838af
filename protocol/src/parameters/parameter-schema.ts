/**
 * What a parameter can act on, and so when a change of it takes effect. `x-applies` publishes these names; the table in
 * PROTOCOL.md section 11 comes from here.
 */
export const parameterRoles = {
  plan: 'What a frame keeps while it is denoised; a change affects frames that enter later',
  steering: 'What all frames that are being denoised get at their next step; a change takes effect at once',
  entry:
    'How waiting frames enter: which of them, how many at a time, what is mixed into them, and what of them stays',
  input:
    'The form that input images are brought into; a change waits until no frame of the old form is in progress',
  output: 'The form of the results',
  flow: 'Where frames come from, how fast, and whether any are processed',
  transition: 'How the next change of the prompts takes place; alone it changes no frame',
} as const;

export type ParameterRole = keyof typeof parameterRoles;

/** Least and greatest value. */
export type UsefulRange = readonly [least: number, most: number];

/**
 * All that is said of one parameter: a part of a JSON Schema (draft 2020-12), as `GET /v1/capabilities` publishes it.
 * Names with x- are annotations, which a validator ignores.
 */
export interface ParameterSchema {
  readonly title: string;
  readonly description: string;
  /** Where a page shows it: `main` always, `more` on request. */
  readonly 'x-group': 'main' | 'more';
  /** What it acts on; several roles if a change affects each of them. */
  readonly 'x-applies': readonly [ParameterRole, ...ParameterRole[]];
  /** The values of parameters with which it has an effect; it has none with others. Absent: always. */
  readonly 'x-when'?: Readonly<Record<string, readonly (string | boolean | null)[]>>;
  /** The range of a number in which results are good with this model; others are allowed. Absent: unknown. */
  readonly 'x-useful'?: UsefulRange;
  /** It has a meaning for live streams only, not for files or single pictures. */
  readonly 'x-live'?: true;
  readonly default: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  /** The value is a file: binary on the wire, and in JSON text in this encoding. */
  readonly contentEncoding?: 'base64';
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: object;
  /** The settings in a value that is a map, by their names; there are no others. */
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly additionalProperties?: false;
  /** Alternative forms of a value, the plain one first. */
  readonly anyOf?: readonly Pick<ParameterSchema, 'type' | 'minimum' | 'maximum' | 'maxLength'>[];
}

/** All that is said of one setting within a parameter whose value is a map. */
export interface SettingSchema {
  readonly title: string;
  readonly description?: string;
  /** What its absence means. */
  readonly default?: unknown;
  readonly type?: 'number' | 'object';
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, SettingSchema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: false;
}

/** Returns whether a parameter can have an effect with this model: no value is listed for what the model lacks. */
export function canHaveEffect({ 'x-when': when = {} }: Pick<ParameterSchema, 'x-when'>): boolean {
  return Object.values(when).every(({ length }) => length > 0);
}

/**
 * Returns whether a parameter has an effect, given the values of the others. Where it depends on `solver`, one of the
 * solvers in `solver_schedule` is enough.
 */
export function hasEffect(
  { 'x-when': when = {} }: Pick<ParameterSchema, 'x-when'>,
  values: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(when).every(([name, effective]) => {
    const { [name]: value, solver_schedule: schedule } = values;
    const chosen: readonly unknown[] = name === 'solver' && Array.isArray(schedule) ? schedule : [value];
    return chosen.some((one) => (effective as readonly unknown[]).includes(one));
  });
}
