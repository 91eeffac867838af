/**
 * What a parameter acts on, and so when a change of it counts:
 * - `plan`: what a frame keeps from its first stage to its last. A change makes a new plan, for frames that enter later.
 * - `steering`: what the rows of all frames under way get at their next stage. A change counts at once.
 * - `entry`: how waiting frames enter: which of them, how many at a time, and what is mixed into them.
 * - `input`: the form that input pictures are brought into. A change waits until no frame of the old form is on its way.
 * - `output`: the form of the results.
 * - `flow`: where frames come from, how fast, and whether any are processed.
 * - `transition`: how the next change of the prompts takes place. Alone it changes no frame.
 */
export type ParameterRole = 'plan' | 'steering' | 'entry' | 'input' | 'output' | 'flow' | 'transition';

/**
 * All that is said of one parameter: a part of a JSON Schema (draft 2020-12), as `GET /v1/capabilities` publishes it.
 * Names with x- are annotations, which a validator ignores.
 */
export interface ParameterSchema {
  readonly title: string;
  readonly description: string;
  /** Where a page shows it: `main` always, `more` on request. */
  readonly 'x-group': 'main' | 'more';
  /** What it acts on; several roles if a change counts for each of them. */
  readonly 'x-applies': readonly [ParameterRole, ...ParameterRole[]];
  /** The values of other parameters with which it has an effect; it has none with others. Absent: always. */
  readonly 'x-when'?: Readonly<Record<string, readonly (string | boolean | null)[]>>;
  /** It has a meaning for live streams only, not for files or single pictures. */
  readonly 'x-live'?: true;
  readonly default: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: object;
  /** Alternative forms of a value, the plain one first. */
  readonly anyOf?: readonly Pick<ParameterSchema, 'type' | 'minimum' | 'maximum' | 'maxLength'>[];
}

/** Returns whether a parameter has an effect, given the values of the others. */
export function hasEffect(
  { 'x-when': when = {} }: Pick<ParameterSchema, 'x-when'>,
  values: Readonly<Record<string, unknown>>,
): boolean {
  return Object.entries(when).every(([name, effective]) =>
    (effective as readonly unknown[]).includes(values[name]),
  );
}
