import { decodeMap, isMap } from '@millrace/protocol';
import { asError } from '../../engine/as-error.js';
import { ProtocolError } from '../../session/wire/protocol-error.js';

export type Values = Readonly<Record<string, unknown>>;

/** Most commas and opening brackets in a text: each may become a value, which takes far more memory than one byte. */
const mostMarks = 4096;
const marks: ReadonlySet<number> = new Set(Buffer.from(',[{'));
/** Deepest nesting, as in MessagePack: what is written again must not take all of the stack. */
const deepest = 8;

/** Returns the object in a JSON text. @throws {ProtocolError} invalid_message */
export function readJson(data: Buffer): Values {
  let found = 0;
  for (const byte of data) if (marks.has(byte)) found += 1;
  if (found > mostMarks) refuse(`the JSON text has more than ${mostMarks} commas and brackets`);
  let value: unknown;
  try {
    value = JSON.parse(data.toString());
  } catch {
    return refuse('the text is not JSON');
  }
  if (isDeeper(value, deepest)) refuse(`the JSON text nests deeper than ${deepest}`);
  if (isMap(value)) return value;
  return refuse('the JSON text must be an object');
}

/** Returns the map in a MessagePack message. @throws {ProtocolError} invalid_message */
export function readMessagePack(data: Buffer): Values {
  try {
    return decodeMap(data);
  } catch (error) {
    return refuse(`the message is ${asError(error).message}`);
  }
}

/**
 * Returns the file in a data URI (RFC 2397).
 * @throws {ProtocolError} invalid_parameter: a picture at another address is not fetched.
 */
export function readDataUri(field: string, uri: string): Uint8Array {
  const comma = uri.indexOf(',');
  if (!/^data:[^,]*;base64$/i.test(uri.slice(0, Math.max(0, comma)))) {
    const shown = JSON.stringify(uri.slice(0, 40));
    const fault = `${field} must be a data URI in base64 (data:image/jpeg;base64,...), not ${shown}`;
    throw new ProtocolError('invalid_parameter', fault, { field });
  }
  return Buffer.from(uri.slice(comma + 1), 'base64');
}

function isDeeper(value: unknown, most: number): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return most === 0 || Object.values(value).some((item) => isDeeper(item, most - 1));
}

function refuse(fault: string): never {
  throw new ProtocolError('invalid_message', fault);
}
