import { isMap } from './is-map.js';
import { describeAllowed } from './parameters/allowed.js';
import { fitsSchema } from './parameters/fits-schema.js';
import {
  parameterSchemas,
  type ParameterName,
  type ParameterSchema,
  type ParameterUpdate,
} from './parameters/index.js';
import { showValue } from './show-value.js';

/** Parameters under a name. */
export interface Look {
  readonly name: string;
  /** The model that it was made with; it may not suit others. */
  readonly model?: string;
  /** The others have the defaults of the model. */
  readonly parameters: ParameterUpdate;
  /** A small JPEG file of it as base64, for people. */
  readonly picture?: string;
}

/** The version of the format that this package reads and writes. */
export const looksVersion = 1;

/** Looks in a file at most. */
export const mostLooks = 500;
/** Characters in the name of a look at most. */
export const longestLookName = 100;
const longestPicture = 100_000;

/** What only a model can say more of. */
const openSchemas: Readonly<Partial<Record<ParameterName, Partial<ParameterSchema>>>> = {
  controls: { type: 'object' },
  mask_preprocessor: { type: 'string', maxLength: 100 },
};

const schemas: Readonly<Record<string, Partial<ParameterSchema>>> = { ...parameterSchemas, ...openSchemas };

/** JSON Schema (draft 2020-12) of a file of looks. A model may allow less. */
export const looksSchema = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  title: 'Looks of Millrace',
  type: 'object',
  required: ['version', 'looks'],
  properties: {
    version: { enum: [looksVersion] },
    looks: {
      type: 'array',
      maxItems: mostLooks,
      items: {
        type: 'object',
        required: ['name', 'parameters'],
        properties: {
          name: { type: 'string', minLength: 1, maxLength: longestLookName },
          model: { type: 'string' },
          parameters: { type: 'object', properties: schemas, additionalProperties: false },
          picture: { type: 'string', maxLength: longestPicture, contentEncoding: 'base64' },
        },
      },
    },
  },
} as const;

/** Returns the text of a file of looks. A style image is left out if only the server has it. */
export function formatLooks(looks: readonly Look[]): string {
  const file = { version: looksVersion, looks: looks.map((look) => ({ ...look, ...toJson(look) })) };
  return `${JSON.stringify(file, null, 2)}\n`;
}

/**
 * Reads the text of a file of looks.
 * @throws {TypeError} that says which part of it is wrong.
 */
export function parseLooks(text: string): readonly Look[] {
  let file: unknown;
  try {
    file = JSON.parse(text);
  } catch (cause) {
    throw new TypeError('a file of looks must be JSON', { cause });
  }
  if (!isMap(file) || !Array.isArray(file['looks'])) {
    throw new TypeError('a file of looks must have a "version" and a list "looks"');
  }
  const { version, looks } = file as { readonly version: unknown; readonly looks: readonly unknown[] };
  if (version !== looksVersion) {
    throw new TypeError(`the version of a file of looks must be ${looksVersion}, not ${showValue(version)}`);
  }
  if (looks.length > mostLooks) {
    throw new TypeError(`a file must have at most ${mostLooks} looks, not ${looks.length}`);
  }
  return looks.map((look, i) => readLook(look, `looks[${i}]`));
}

function readLook(look: unknown, at: string): Look {
  if (!isMap(look)) throw new TypeError(`${at} must be a map with "name" and "parameters"`);
  const { name, model, parameters, picture } = look;
  if (typeof name !== 'string' || name === '' || name.length > longestLookName) {
    throw new TypeError(
      `${at}.name must be a text of 1 to ${longestLookName} characters, not ${showValue(name)}`,
    );
  }
  if (!isMap(parameters)) throw new TypeError(`${at}.parameters must be a map of parameters`);
  for (const [key, value] of Object.entries(parameters)) {
    const schema = Object.hasOwn(schemas, key) ? schemas[key] : undefined;
    if (schema === undefined) throw new TypeError(`${at}.parameters has the unknown parameter "${key}"`);
    if (fitsSchema(schema, value)) continue;
    throw new TypeError(
      `${at}.parameters.${key} must be ${describeAllowed(schema)}, not ${showValue(value)}`,
    );
  }
  return {
    name,
    ...(typeof model === 'string' && { model }),
    parameters: fromJson(parameters, at),
    ...(typeof picture === 'string' && picture.length <= longestPicture && { picture }),
  };
}

/** All runtimes have them (WHATWG HTML); declared here so as not to depend on the types of one. */
declare const atob: (base64: string) => string;
declare const btoa: (bytes: string) => string;

function toJson({ parameters }: Look): { readonly parameters: object } {
  const { style_image: image, ...others } = parameters;
  if (!(image instanceof Uint8Array)) return { parameters: others };
  let bytes = '';
  for (const byte of image) bytes += String.fromCharCode(byte);
  return { parameters: { ...others, style_image: btoa(bytes) } };
}

function fromJson(parameters: Readonly<Record<string, unknown>>, at: string): ParameterUpdate {
  const { style_image: image } = parameters;
  if (typeof image !== 'string') return parameters;
  try {
    const bytes = Uint8Array.from(atob(image), (letter) => letter.charCodeAt(0));
    return { ...parameters, style_image: bytes };
  } catch (cause) {
    throw new TypeError(`${at}.parameters.style_image must be an image file in base64`, { cause });
  }
}
