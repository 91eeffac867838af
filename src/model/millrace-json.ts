import {
  modes,
  schemaAnnotations,
  updateSchema,
  type ParameterUpdate,
  type StreamParameters,
} from '@millrace/protocol';
import { createValidator } from '../text/validator.js';
import { exists, readModelJson } from './model-files.js';

/** A prompt that a page offers with one click. */
export interface ModelStyle {
  readonly name: string;
  readonly prompt: string;
}

/** A model's own settings, from millrace.json in its folder. Every field may be left out. */
export interface ModelSettings {
  /** One or two sentences for users. */
  readonly description?: string;
  /** Parameter defaults that replace the general ones. */
  readonly defaults?: ParameterUpdate;
  readonly styles?: readonly ModelStyle[];
  /** The modes that it is good for; absent: all. */
  readonly modes?: readonly StreamParameters['mode'][];
}

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });

/**
 * Reads millrace.json of a model folder; returns no settings if there is none.
 * @param sizeFactor pixels that default sizes must be multiples of.
 * @throws {ModelError} if it is not JSON, or has a field that is unknown or out of range.
 */
export async function readSettings(path: string, sizeFactor: number): Promise<ModelSettings> {
  if (!(await exists(path))) return {};
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      description: text(1000),
      defaults: updateSchema({ sizeFactor }),
      modes: { type: 'array', minItems: 1, items: { enum: modes } },
      styles: {
        type: 'array',
        maxItems: 100,
        items: {
          type: 'object',
          required: ['name', 'prompt'],
          additionalProperties: false,
          properties: { name: text(40), prompt: text(2000) },
        },
      },
    },
  };
  const options = { useDefaults: false, keywords: [...schemaAnnotations] };
  return readModelJson(path, createValidator<ModelSettings>(schema, options));
}
