import {
  modes,
  parameterNames,
  parameterSchemas,
  schemaAnnotations,
  updateSchema,
  type ParameterUpdate,
  type StreamParameters,
  type Style,
  type UsefulRanges,
} from '@millrace/protocol';
import { createValidator } from '../text/validator.js';
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
  /** The ranges of numbers in which results are good: controls of pages stay within them at first. */
  readonly useful?: UsefulRanges;
  /** The modes that it is good for; absent: all. */
  readonly modes?: readonly StreamParameters['mode'][];
}

/** Returns the schema of useful ranges: for each number, two values within its limits. */
function usefulSchema(): object {
  const numbers = parameterNames.flatMap((name) => {
    const { type, minimum, maximum } = parameterSchemas[name];
    if (type !== 'number' && type !== 'integer') return [];
    const items = { type, minimum, maximum };
    return [[name, { type: 'array', minItems: 2, maxItems: 2, items }] as const];
  });
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(numbers) };
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
  const schema = {
    type: 'object',
    additionalProperties: false,
    properties: {
      description: text(1000),
      defaults: updateSchema({ sizeFactor }),
      useful: usefulSchema(),
      modes: { type: 'array', minItems: 1, items: { enum: modes } },
      styles: listOfStyles,
      moods: listOfStyles,
    },
  };
  const options = { useDefaults: false, keywords: [...schemaAnnotations] };
  return readModelJson(path, createValidator<ModelSettings>(schema, options));
}
