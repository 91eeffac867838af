import {
  defaultParameters,
  describeAllowed,
  parameterSchemas,
  parameterSchemasFor,
  schemaAnnotations,
  updateSchema,
  type ModelParameters,
  type ParameterName,
  type ParameterUpdate,
  type StreamParameters,
} from '@millrace/protocol';
import { Ajv2020, type ErrorObject } from 'ajv/dist/2020.js';
import { ParameterError } from '../../engine/engine.js';

/** The parameters that one model allows. */
export interface ParameterRules {
  /** JSON Schema (draft 2020-12) of an update. */
  readonly schema: object;
  readonly defaults: StreamParameters;
  /**
   * Checks each value of an update separately; the engine checks whether they fit together.
   * @throws {ParameterError} naming the field, the allowed values, and the value.
   */
  check(update: unknown): ParameterUpdate;
}

export function createParameterRules(model: ModelParameters): ParameterRules {
  const schema = updateSchema(model);
  const ajv = new Ajv2020({ strictTypes: false, keywords: [...schemaAnnotations] });
  const validate = ajv.compile<ParameterUpdate>(schema);
  return {
    schema,
    defaults: defaultParameters(model),
    check(update) {
      if (!validate(update)) throw describe(validate.errors?.[0], update, model);
      return update;
    },
  };
}

function describe(error: ErrorObject | undefined, update: unknown, model: ModelParameters): ParameterError {
  const unknownName: unknown = error?.params['additionalProperty'];
  const [, name = ''] = error?.instancePath.split('/') ?? [];
  if (name === '' && typeof unknownName === 'string') {
    const field = shorten(unknownName);
    return new ParameterError(field, `unknown parameter ${JSON.stringify(field)}`);
  }
  if (!isParameter(name) || !isRecord(update)) {
    return new ParameterError('parameters', 'parameters must be a map of parameter names to values');
  }
  const allowed = describeAllowed(parameterSchemasFor(model)[name]);
  return new ParameterError(name, `${name} must be ${allowed}, not ${show(update[name])}`);
}

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(parameterSchemas, name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

/** Returns a value as text, shortened for an error message. */
function show(value: unknown): string {
  if (typeof value === 'number') return String(value);
  if (value instanceof Uint8Array) return 'binary data';
  return shorten(JSON.stringify(value) ?? String(value));
}

function shorten(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}... (${text.length} characters)` : text;
}
