import type { ErrorObject, Options, ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';

/** Whether a value matches a JSON Schema. */
export interface Validator<Value> {
  (value: unknown): value is Value;
  /** The faults of the last value. */
  errors?: readonly ErrorObject[] | null | undefined;
}

/**
 * Creates the validator of a schema (draft 2020-12), which also gives missing fields the defaults of the schema. It is
 * compiled at its first use: a start needs few of all schemas. It is not compared with the metaschema, whose compilation
 * would take longer than that of all our schemas; strict mode refuses keywords that are unknown or have a value of a
 * wrong type.
 */
export function createValidator<Value>(schema: object, options: Options = {}): Validator<Value> {
  let compiled: ValidateFunction<Value> | undefined;
  const validate: Validator<Value> = (value): value is Value => {
    compiled ??= new Ajv2020({ ...forOwnSchemas, ...options }).compile<Value>(schema);
    const isValid = compiled(value);
    validate.errors = compiled.errors;
    return isValid;
  };
  return validate;
}

const forOwnSchemas = {
  // Compiling would take a third longer than what it saves.
  code: { optimize: false },
  meta: false,
  validateSchema: false,
  allowUnionTypes: true,
  useDefaults: true,
};
