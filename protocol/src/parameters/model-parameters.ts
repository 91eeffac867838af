import { controlProperties, type ModelControl } from './controls.js';
import { styleLimits } from './style.js';
import type { ParameterSchema, UsefulRange } from './parameter-schema.js';
import type { SolverName } from './solvers.js';
import {
  parameterNames,
  parameterSchemas,
  type ParameterName,
  type ParameterUpdate,
  type StreamParameters,
} from './table.js';

/** The annotations in the schema, for validators that refuse unknown keywords. */
export const schemaAnnotations = [
  'x-group',
  'x-applies',
  'x-when',
  'x-live',
  'x-useful',
] as const satisfies readonly (keyof ParameterSchema)[];

/** The ranges of numbers in which the results of a model are good. */
export type UsefulRanges = Readonly<Partial<Record<ParameterName, UsefulRange>>>;

/** What a model changes in the general defaults and limits. */
export interface ModelParameters {
  readonly defaults?: ParameterUpdate;
  readonly useful?: UsefulRanges;
  /** Sizes must be multiples of this. */
  readonly sizeFactor?: number;
  /** The only possible size, if the model was exported for one. */
  readonly fixedSize?: { readonly width?: number; readonly height?: number };
  /** Whether the model takes the guidance scale as an input; no other guidance is possible then. */
  readonly selfGuided?: boolean;
  /** The modes that it is good for; absent: all. */
  readonly modes?: readonly StreamParameters['mode'][];
  /** Its controls; absent: none. */
  readonly controls?: readonly ModelControl[];
  /** Its preprocessors that make masks; absent: none. */
  readonly maskPreprocessors?: readonly string[];
  /** Side of the square that its image encoder takes; null or absent: it has none, and takes no style image. */
  readonly styleImageSide?: number | null;
  /** Whether its frames can attend to earlier ones; absent: they cannot. */
  readonly hasAttentionBank?: boolean;
  /** The solvers that suit it; absent: all. */
  readonly solvers?: readonly SolverName[];
}

/** Returns the schemas of all parameters, with a model's own defaults and limits. */
export function parameterSchemasFor(model: ModelParameters): typeof parameterSchemas {
  const schemas = { ...parameterSchemas };
  for (const name of parameterNames) {
    const own = model.defaults?.[name];
    const useful = model.useful?.[name];
    schemas[name] = {
      ...parameterSchemas[name],
      ...limitsOf(name, model),
      ...(own !== undefined && { default: own }),
      ...(useful && { 'x-useful': useful }),
    };
  }
  return schemas;
}

function limitsOf(
  name: ParameterName,
  {
    sizeFactor,
    fixedSize,
    selfGuided,
    modes,
    controls = [],
    maskPreprocessors = [],
    styleImageSide = null,
    hasAttentionBank = false,
    solvers,
  }: ModelParameters,
): Partial<ParameterSchema> {
  const { 'x-when': when = {} } = parameterSchemas[name];
  if (solvers && name === 'solver') return { enum: solvers };
  if (solvers && name === 'solver_schedule') return scheduleLimits(solvers);
  if (solvers && when['solver']) return { 'x-when': { ...when, solver: common(when['solver'], solvers) } };
  if (name === 'attention_bank_frames' || name === 'attention_bank_interval') {
    return hasAttentionBank ? {} : { 'x-when': { attention_bank_frames: [] } };
  }
  if (name === 'mode') return modes ? { enum: modes } : {};
  if (name === 'cfg_type') return selfGuided ? { enum: ['none'] } : {};
  if (name === 'guidance_scale') return selfGuided ? { 'x-when': {} } : {};
  if (name === 'controls') return { properties: controlProperties(controls) };
  if (name === 'mask_preprocessor') return { enum: ['none', ...maskPreprocessors] };
  if (name === 'control_previews') return controls.length > 0 ? {} : { 'x-when': { controls: [] } };
  if (name === 'style_image' || name === 'ip_adapter_scale' || name === 'ip_adapter_weight_type') {
    return styleLimits(name, styleImageSide !== null);
  }
  if (name !== 'width' && name !== 'height') return {};
  const size = fixedSize?.[name];
  return {
    ...(sizeFactor && { multipleOf: sizeFactor }),
    ...(size && { enum: [size], minimum: size, maximum: size }),
  };
}

/** Returns what a model changes in the schema of the solvers of steps: with a single solver there is no choice. */
function scheduleLimits(solvers: readonly SolverName[]): Partial<ParameterSchema> {
  const items = { ...parameterSchemas.solver_schedule.items, enum: solvers };
  return { items, ...(solvers.length < 2 && { 'x-when': { solver: [] } }) };
}

/** Returns those of the values that are in both lists. */
function common<Value>(values: readonly Value[], others: readonly Value[]): readonly Value[] {
  return values.filter((value) => others.includes(value));
}

/** A JSON Schema of updates, with that of each parameter. */
export interface UpdateSchema {
  readonly properties: typeof parameterSchemas;
  readonly [keyword: string]: unknown;
}

/** Returns the JSON Schema of a parameter update, with a model's own defaults and limits. */
export function updateSchema(model: ModelParameters = {}): UpdateSchema {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a Millrace stream',
    type: 'object',
    properties: parameterSchemasFor(model),
    additionalProperties: false,
  };
}

/** Returns the defaults of all parameters; the model's own take precedence. */
export function defaultParameters(model: ModelParameters = {}): StreamParameters {
  const defaults = Object.fromEntries(
    Object.entries(parameterSchemas).map(([name, schema]) => [name, schema.default]),
  );
  return { ...(defaults as unknown as StreamParameters), ...model.defaults };
}
