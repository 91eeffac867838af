import {
  defaultParameters,
  modelProperties,
  parameterProperties,
  parametersSchema,
  type ModelParameters,
  type ParameterSchema,
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
  const schema = parametersSchema(model);
  const ajv = new Ajv2020({ strictTypes: false, keywords: ['x-group'] });
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
  const allowed = allowedValues(modelProperties(model)[name]);
  return new ParameterError(name, `${name} must be ${allowed}, not ${show(update[name])}`);
}

function isParameter(name: string): name is keyof StreamParameters {
  return Object.hasOwn(parameterProperties, name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

type SchemaPart = Partial<ParameterSchema> & { readonly properties?: object };

/** Describes the values that a schema allows. */
function allowedValues(schema: SchemaPart): string {
  if (schema.enum) {
    const values = schema.enum.map((value) => JSON.stringify(value)).join(', ');
    return schema.enum.length === 1 ? values : `one of ${values}`;
  }
  if (schema.anyOf) return schema.anyOf.map(allowedValues).join(', or ');
  const types = [schema.type ?? []].flat();
  return types.map((type) => allowedOfType(type, schema)).join(' or ');
}

function allowedOfType(type: string, schema: SchemaPart): string {
  switch (type) {
    case 'integer':
    case 'number': {
      const multiple = schema.multipleOf === undefined ? '' : ` that is a multiple of ${schema.multipleOf}`;
      const noun = type === 'integer' ? 'an integer' : 'a number';
      return `${noun} from ${schema.minimum} to ${schema.maximum}${multiple}`;
    }
    case 'string':
      return `a string of at most ${schema.maxLength} characters`;
    case 'array':
      return `a list of ${schema.minItems} to ${schema.maxItems} items, each ${allowedValues(schema.items ?? {})}`;
    case 'object': {
      const properties: readonly (readonly [string, object])[] = Object.entries(schema.properties ?? {});
      return `{ ${properties.map(([name, part]) => `${name}: ${allowedValues(part)}`).join(', ')} }`;
    }
    case 'boolean':
      return 'true or false';
    default:
      return type;
  }
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
