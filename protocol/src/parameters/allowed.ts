import type { ParameterSchema } from './parameter-schema.js';

type SchemaPart = Partial<ParameterSchema>;

/** Describes the values that a parameter may have: in error messages, and in documents. */
export function describeAllowed(schema: SchemaPart): string {
  if (schema.enum) {
    const values = schema.enum.map((value) => JSON.stringify(value)).join(', ');
    return schema.enum.length === 1 ? values : `one of ${values}`;
  }
  if (schema.contentEncoding) return 'an image file (binary, or in JSON base64), or null';
  if (schema.anyOf) return schema.anyOf.map(describeAllowed).join(', or ');
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
      return `a list of ${schema.minItems} to ${schema.maxItems} items, each ${describeAllowed(schema.items ?? {})}`;
    case 'object': {
      const properties: readonly (readonly [string, object])[] = Object.entries(schema.properties ?? {});
      if (properties.length === 0) return '{}';
      return `{ ${properties.map(([name, part]) => `${name}: ${describeAllowed(part)}`).join(', ')} }`;
    }
    case 'boolean':
      return 'true or false';
    default:
      return type;
  }
}
