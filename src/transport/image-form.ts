import { parameterFromText, parameterSchemas, type ParameterName } from '@millrace/protocol';
import type { FastifyRequest } from 'fastify';
import { asError } from '../engine/as-error.js';
import { ParameterError } from '../engine/engine.js';
import type { SentPictures } from '../session/frames/frame-pictures.js';
import type { ImageRequest } from '../session/one-shot.js';
import { ProtocolError } from '../session/wire/protocol-error.js';

type Form = Pick<ImageRequest, 'parameters' | 'sent'>;

/** Files of one form; a model has a few controls. */
const mostFiles = 16;
/** Bytes of one field: room for a long, blended prompt. */
const fieldBytes = 64 * 1024;
/** Fields of one form; there are about as many parameters. */
const mostFields = 100;
const longestName = 100;
/** Start of the names of files that are pictures of controls. */
const controlPrefix = 'controls.';

/** Returns the limits of a form whose files may have `messageBytes` together. */
export function formLimits(messageBytes: number): object {
  return { fileSize: messageBytes, files: mostFiles, fieldSize: fieldBytes, fields: mostFields };
}

/**
 * Reads a form (multipart/form-data): the files `image`, `mask` and `controls.NAME`, and parameters under their own names,
 * as text or as a file.
 * @throws {ParameterError} if a file has another name, or comes without `image`.
 * @throws {ProtocolError} message_too_large, invalid_message
 */
export async function readForm(request: FastifyRequest, messageBytes: number): Promise<Form> {
  try {
    return await readParts(request, messageBytes);
  } catch (error) {
    if (error instanceof ParameterError || error instanceof ProtocolError) throw error;
    // What exceeds the limits of the parser has this status.
    if (error instanceof Error && 'statusCode' in error && error.statusCode === 413) {
      const limits = `${mostFields} fields and ${mostFiles} files, which have at most ${messageBytes} bytes together`;
      throw new ProtocolError('message_too_large', `a form may have ${limits}`);
    }
    throw new ProtocolError('invalid_message', `the form cannot be read: ${asError(error).message}`);
  } finally {
    // The rest of a refused form is passed over: otherwise the connection would wait for someone to read it.
    request.raw.unpipe().resume();
  }
}

async function readParts(request: FastifyRequest, messageBytes: number): Promise<Form> {
  const files = new Map<string, Uint8Array>();
  const parameters = new Map<string, unknown>();
  let bytes = 0;
  for await (const part of request.parts()) {
    const { fieldname: name } = part;
    if (!name || name.length > longestName) {
      const fault = `each part of a form must have a name of at most ${longestName} characters`;
      throw new ProtocolError('invalid_message', fault);
    }
    if (part.type === 'field') {
      if (part.valueTruncated) throw tooLarge('a field', fieldBytes);
      parameters.set(name, valueOf(name, part.value));
      continue;
    }
    const file = await part.toBuffer();
    bytes += file.length;
    if (bytes > messageBytes) throw tooLarge('all files together', messageBytes);
    const own = new Uint8Array(file.buffer, file.byteOffset, file.byteLength);
    if (isFile(name)) parameters.set(name, own);
    else files.set(name, own);
  }
  return { parameters: Object.fromEntries(parameters), ...(files.size > 0 && { sent: sentBy(files) }) };
}

/**
 * Returns a parameter as its schema has it.
 * @param value text, or what it says if the part has the media type of JSON.
 * @throws {ParameterError} if it should be a file.
 */
function valueOf(name: string, value: unknown): unknown {
  if (isPicture(name))
    throw new ParameterError(name, `${name} must be a file, such as -F ${name}=@photo.jpg`);
  const isText = isParameter(name) && typeof value === 'string';
  return isText ? parameterFromText(parameterSchemas[name], value) : value;
}

/** @throws {ParameterError} */
function sentBy(files: ReadonlyMap<string, Uint8Array>): SentPictures {
  const controls: [string, Uint8Array][] = [];
  for (const [name, file] of files) {
    if (!isPicture(name)) {
      throw new ParameterError(
        name,
        `files are image, mask, controls.NAME and style_image, not ${JSON.stringify(name)}`,
      );
    }
    if (name.startsWith(controlPrefix)) controls.push([name.slice(controlPrefix.length), file]);
  }
  const [image, mask] = [files.get('image'), files.get('mask')];
  if (!image)
    throw new ParameterError('image', 'there are pictures, but no image to change: add -F image=@photo.jpg');
  return {
    data: image,
    ...(mask && { mask }),
    ...(controls.length > 0 && { controls: Object.fromEntries(controls) }),
  };
}

function isPicture(name: string): boolean {
  return name === 'image' || name === 'mask' || name.startsWith(controlPrefix);
}

function isParameter(name: string): name is ParameterName {
  return Object.hasOwn(parameterSchemas, name);
}

/** Returns whether the value of a parameter is a file. */
function isFile(name: string): boolean {
  return isParameter(name) && parameterSchemas[name].contentEncoding !== undefined;
}

function tooLarge(what: string, most: number): ProtocolError {
  return new ProtocolError('message_too_large', `${what} may have ${most} bytes`);
}
