import { guidanceParameters } from './guidance.js';
import { pictureParameters } from './picture.js';
import { promptParameters } from './prompt.js';
import { samplingParameters } from './sampling.js';
import type { ParameterSchema, ParameterUpdate, StreamParameters } from './types.js';

/**
 * Ranges, defaults and descriptions of all parameters: the one source that the server validates with, that
 * `GET /v1/capabilities` publishes (with the model's own defaults and sizes filled in) and that pages build
 * their controls from.
 */
export const parameterProperties: Readonly<Record<keyof StreamParameters, ParameterSchema>> = {
  ...promptParameters,
  ...samplingParameters,
  ...guidanceParameters,
  ...pictureParameters,
};

/** Per-model values that replace the general defaults and limits of `parametersSchema`. */
export interface ModelParameters {
  readonly defaults?: ParameterUpdate;
  /** Sizes must be multiples of this. */
  readonly sizeFactor?: number;
  /** The only sizes that there are, where a model was exported for one. */
  readonly fixedSize?: { readonly width?: number; readonly height?: number };
  /** The model takes the guidance scale itself; no other guidance is possible. */
  readonly selfGuided?: boolean;
}

/** Schemas of all parameters, with a model's own defaults and limits. */
export function modelProperties(model: ModelParameters): typeof parameterProperties {
  const properties = { ...parameterProperties };
  for (const name of Object.keys(parameterProperties) as (keyof StreamParameters)[]) {
    const own = model.defaults?.[name];
    properties[name] = {
      ...parameterProperties[name],
      ...limitsOf(name, model),
      ...(own !== undefined && { default: own }),
    };
  }
  return properties;
}

function limitsOf(
  name: keyof StreamParameters,
  { sizeFactor, fixedSize, selfGuided }: ModelParameters,
): Partial<ParameterSchema> {
  if (name === 'cfg_type') return selfGuided ? { enum: ['none'] } : {};
  if (name !== 'width' && name !== 'height') return {};
  const size = fixedSize?.[name];
  return {
    ...(sizeFactor && { multipleOf: sizeFactor }),
    ...(size && { enum: [size], minimum: size, maximum: size }),
  };
}

/** JSON Schema of a parameter update, with a model's own defaults and limits. */
export function parametersSchema(model: ModelParameters = {}): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a Millrace stream',
    type: 'object',
    properties: modelProperties(model),
    additionalProperties: false,
  };
}

/** All parameters with their defaults, the model's own on top. */
export function defaultParameters(model: ModelParameters = {}): StreamParameters {
  const defaults = Object.fromEntries(
    Object.entries(parameterProperties).map(([name, schema]) => [name, schema.default]),
  );
  return { ...(defaults as unknown as StreamParameters), ...model.defaults };
}
