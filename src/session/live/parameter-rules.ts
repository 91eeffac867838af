import {
  defaultParameters,
  describeAllowed,
  modes,
  parameterSchemas,
  parameterSchemasFor,
  schemaAnnotations,
  shorten,
  showValue,
  solverNames,
  updateSchema,
  type ModelControl,
  type ModelParameters,
  type ParameterName,
  type ParameterSchema,
  type ParameterUpdate,
  type StreamParameters,
  type UpdateSchema,
} from '@millrace/protocol';
import type { ErrorObject } from 'ajv';
import { ParameterError } from '../../engine/engine.js';
import { preprocessorNames } from '../../image/preprocess/preprocessors.js';
import { createValidator } from '../../text/validator.js';
import { readStyleImage } from './style-images.js';

/** The parameters that one model allows. */
export interface ParameterRules {
  /** JSON Schema (draft 2020-12) of an update. */
  readonly schema: UpdateSchema;
  readonly defaults: StreamParameters;
  /** The modes that the model is good for. */
  readonly modes: readonly StreamParameters['mode'][];
  /** The controls that `controls` can name. */
  readonly controls: readonly ModelControl[];
  /**
   * Checks each value of an update separately; the engine checks whether they fit together.
   * @throws {ParameterError} naming the field, the allowed values, and the value.
   */
  check(update: unknown): ParameterUpdate;
}

/**
 * Creates the rules of a model. A solver that does not suit it is left to the engine, which says why.
 * @param given its controls list the preprocessors of the model, besides which all have those that need no network.
 */
export function createParameterRules(given: ModelParameters): ParameterRules {
  const model = { ...given, controls: (given.controls ?? []).map(withPreprocessors) };
  const schema = updateSchema(model);
  const validate = createValidator<ParameterUpdate>(updateSchema({ ...model, solvers: solverNames }), {
    strictTypes: false,
    useDefaults: false,
    keywords: [...schemaAnnotations],
  });
  // Compiled now: later, the first client would wait for it.
  validate({});
  return {
    schema,
    defaults: defaultParameters(model),
    modes: model.modes ?? modes,
    controls: model.controls,
    check(update) {
      // For the schema, a binary is a map of its bytes.
      if (update instanceof Uint8Array) throw new ParameterError('parameters', needsMap);
      if (isRecord(update) && update['controls'] instanceof Uint8Array) {
        throw new ParameterError(
          'controls',
          'controls must be a map of settings by control, not binary data',
        );
      }
      const checked = withTextOfFile(update);
      if (!validate(checked)) throw describe(validate.errors?.[0], update, model);
      if (checked.controls) checkControls(checked.controls);
      const { style_image: sent } = update as ParameterUpdate;
      return sent ? { ...checked, style_image: readStyleImage(sent) } : checked;
    },
  };
}

/** Returns an update for the schema, where a file is text, as in JSON. */
function withTextOfFile(update: unknown): unknown {
  return isRecord(update) && update['style_image'] instanceof Uint8Array
    ? { ...update, style_image: '' }
    : update;
}

function withPreprocessors(control: ModelControl): ModelControl {
  return { ...control, preprocessors: [...new Set([...preprocessorNames, ...control.preprocessors])] };
}

const needsMap = 'parameters must be a map of parameter names to values';

/** @throws {ParameterError} for what the schema cannot say. */
function checkControls(controls: StreamParameters['controls']): void {
  for (const [name, { start = 0, end = 1 }] of Object.entries(controls)) {
    if (start <= end) continue;
    const fault = `controls.${name}.start must not be above its end, but ${start} is above ${end}`;
    throw new ParameterError('controls', fault);
  }
}

function describe(error: ErrorObject | undefined, update: unknown, model: ModelParameters): ParameterError {
  const unknownName: unknown = error?.params['additionalProperty'];
  const [, name = '', ...keys] = error?.instancePath.split('/') ?? [];
  if (name === '' && typeof unknownName === 'string') {
    const field = shorten(unknownName);
    return new ParameterError(field, `unknown parameter ${JSON.stringify(field)}`);
  }
  if (!isParameter(name) || !isRecord(update)) {
    return new ParameterError('parameters', needsMap);
  }
  if (name === 'style_image' && !model.styleImageSide) {
    const advice = 'the model has no image encoder (export it with --ip-adapter)';
    return new ParameterError(name, `style_image must be null: ${advice}`);
  }
  const missing: unknown = error?.params['missingProperty'];
  const { path, schema, value } = findPart(typeof missing === 'string' ? [...keys, missing] : keys, {
    path: name,
    schema: parameterSchemasFor(model)[name],
    value: update[name],
  });
  if (schema.properties && typeof unknownName === 'string') {
    const known = Object.keys(schema.properties).join(', ') || 'none';
    const fault = `${path} has no ${JSON.stringify(shorten(unknownName))}: with this model it has ${known}`;
    return new ParameterError(name, fault);
  }
  const fault = value === undefined ? 'but it is missing' : `not ${showValue(value)}`;
  return new ParameterError(name, `${path} must be ${describeAllowed(schema)}, ${fault}`);
}

/** A parameter, or a setting within one whose value is a map. */
interface Part {
  readonly path: string;
  readonly schema: Partial<ParameterSchema>;
  readonly value: unknown;
}

/** Returns the setting to which these keys lead, or as far as they lead to settings. */
function findPart(keys: readonly string[], part: Part): Part {
  let found = part;
  for (const key of keys) {
    const schema = found.schema.properties?.[key];
    if (schema === undefined || !isRecord(found.value)) break;
    found = { path: `${found.path}.${key}`, schema, value: found.value[key] };
  }
  return found;
}

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(parameterSchemas, name);
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}
