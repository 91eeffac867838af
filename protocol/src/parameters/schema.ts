import { guidanceParameters } from './guidance.js';
import { pictureParameters } from './picture.js';
import { promptParameters } from './prompt.js';
import { samplingParameters } from './sampling.js';
import type { ParameterSchema, ParameterUpdate, StreamParameters } from './types.js';

/**
 * Ranges, defaults and descriptions of all parameters: the single source for the server's validation, for
 * `GET /v1/capabilities` (with the model's own defaults and sizes) and for the controls of pages.
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
  /** The only possible size, if the model was exported for one. */
  readonly fixedSize?: { readonly width?: number; readonly height?: number };
  /** Whether the model takes the guidance scale as an input; no other guidance is possible then. */
  readonly selfGuided?: boolean;
}

/** Returns the schemas of all parameters, with a model's own defaults and limits. */
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

/** Returns the JSON Schema of a parameter update, with a model's own defaults and limits. */
export function parametersSchema(model: ModelParameters = {}): object {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a Millrace stream',
    type: 'object',
    properties: modelProperties(model),
    additionalProperties: false,
  };
}

/** Returns the defaults of all parameters; the model's own take precedence. */
export function defaultParameters(model: ModelParameters = {}): StreamParameters {
  const defaults = Object.fromEntries(
    Object.entries(parameterProperties).map(([name, schema]) => [name, schema.default]),
  );
  return { ...(defaults as unknown as StreamParameters), ...model.defaults };
}
