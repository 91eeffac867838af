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
}

/** JSON Schema of a parameter update, with a model's own defaults and size factor. */
export function parametersSchema(model: ModelParameters = {}): object {
  const properties = Object.fromEntries(
    Object.entries(parameterProperties).map(([name, schema]) => {
      const own = model.defaults?.[name as keyof StreamParameters];
      const factor = name === 'width' || name === 'height' ? model.sizeFactor : undefined;
      return [
        name,
        { ...schema, ...(own !== undefined && { default: own }), ...(factor && { multipleOf: factor }) },
      ];
    }),
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a Millrace stream',
    type: 'object',
    properties,
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
