// Parts of JSON Schema that several parameters share.

const weight = { type: 'number', minimum: 0, maximum: 1000 } as const;
export const seed = { type: 'integer', minimum: 0, maximum: 4294967295 } as const;

/** Returns the schema of a list of values under this key, each with a weight. */
export const weighted = (key: string, value: object): object => ({
  type: 'array',
  minItems: 1,
  maxItems: 8,
  items: {
    type: 'object',
    properties: { [key]: value, weight },
    required: [key, 'weight'],
    additionalProperties: false,
  },
});
export const text = { type: 'string', maxLength: 2000 } as const;
export const flag = { type: 'boolean' } as const;
