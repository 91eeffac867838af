import { isMap } from '../is-map.js';
import type { ParameterSchema } from './parameter-schema.js';

type Part = Partial<ParameterSchema> & { readonly required?: readonly string[] };

/** Returns whether a value, as in JSON, fits the schema of a parameter, by the keywords that these schemas have. */
export function fitsSchema(schema: Part, value: unknown): boolean {
  if (schema.anyOf && !schema.anyOf.some((form) => fitsSchema(form, value))) return false;
  if (schema.enum && !(schema.enum as readonly unknown[]).includes(value)) return false;
  const types = [schema.type ?? []].flat();
  if (types.length > 0 && !types.some((type) => isOfType(type, value))) return false;
  if (typeof value === 'number') return isInRange(schema, value);
  if (typeof value === 'string') return value.length <= (schema.maxLength ?? Infinity);
  if (Array.isArray(value)) {
    const { minItems = 0, maxItems = Infinity, items = {} } = schema;
    const all = value.every((item) => fitsSchema(items, item));
    return all && value.length >= minItems && value.length <= maxItems;
  }
  return !isMap(value) || hasFittingEntries(schema, value);
}

function isOfType(type: string, value: unknown): boolean {
  switch (type) {
    case 'integer':
      return Number.isSafeInteger(value);
    case 'number':
      return Number.isFinite(value);
    case 'array':
      return Array.isArray(value);
    case 'object':
      return isMap(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}

function isInRange({ minimum = -Infinity, maximum = Infinity, multipleOf }: Part, value: number): boolean {
  return value >= minimum && value <= maximum && (multipleOf === undefined || value % multipleOf === 0);
}

function hasFittingEntries(
  { properties, required = [], additionalProperties }: Part,
  value: Readonly<Record<string, unknown>>,
): boolean {
  if (!required.every((key) => Object.hasOwn(value, key))) return false;
  return Object.entries(value).every(([key, entry]) => {
    const known = properties && Object.hasOwn(properties, key) ? properties[key] : undefined;
    return known ? fitsSchema(known, entry) : additionalProperties !== false;
  });
}
