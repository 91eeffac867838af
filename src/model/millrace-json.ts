import {
  modes,
  parameterSchemas,
  schemaAnnotations,
  updateSchema,
  type ParameterUpdate,
  type StreamParameters,
  type Style,
} from '@millrace/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { exists, readModelJson } from './model-files.js';

/** A model's own settings, from millrace.json in its folder. Every field may be left out. */
export interface ModelSettings {
  /** One or two sentences for users. */
  readonly description?: string;
  /** Parameter defaults that replace the general ones. */
  readonly defaults?: ParameterUpdate;
  /** Prompts that name a style. */
  readonly styles?: readonly Style[];
  /** Words that, added to a prompt, change its colours and light. */
  readonly moods?: readonly Style[];
  /** The modes that it is good for; absent: all. */
  readonly modes?: readonly StreamParameters['mode'][];
}

const text = (maxLength: number): object => ({ type: 'string', minLength: 1, maxLength });

const { steps, strength } = parameterSchemas;

const listOfStyles = {
  type: 'array',
  maxItems: 100,
  items: {
    type: 'object',
    required: ['name', 'prompt'],
    additionalProperties: false,
    properties: { name: text(40), prompt: text(2000), description: text(200), steps, strength },
  },
};

/**
 * Reads millrace.json of a model folder; returns no settings if there is none.
 * @param sizeFactor pixels that default sizes must be multiples of.
 * @throws {ModelError} if it is not JSON, or has a field that is unknown or out of range.
 */
export async function readSettings(path: string, sizeFactor: number): Promise<ModelSettings> {
  if (!(await exists(path))) return {};
  const ajv = new Ajv2020({ allowUnionTypes: true, keywords: [...schemaAnnotations] });
  const validate = ajv.compile<ModelSettings>({
    type: 'object',
    additionalProperties: false,
    properties: {
      description: text(1000),
      defaults: updateSchema({ sizeFactor }),
      modes: { type: 'array', minItems: 1, items: { enum: modes } },
      styles: listOfStyles,
      moods: listOfStyles,
    },
  });
  return readModelJson(path, validate);
}
