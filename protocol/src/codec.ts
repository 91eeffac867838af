import { Packr } from 'msgpackr';
import { isMap } from './is-map.js';
import type { ClientMessage, ServerMessage } from './messages/index.js';
import { checkStructure } from './structure.js';

/** Plain MessagePack: no record extension, so that every reader in every language can decode it. */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  variableMapSize: true,
});

/** Bytes from which a binary gets a path of its own, which copies it only once. */
const longBinary = 1024;
const noBytes = new Uint8Array(0);

/** Returns memory of at least `bytes` bytes. */
type Take = (bytes: number) => Uint8Array<ArrayBuffer>;

/**
 * Encodes one message as MessagePack.
 * @param take returns the memory for a message with a picture; allocates it by default.
 */
export function encodeMessage(
  message: ClientMessage | ServerMessage,
  take: Take = (bytes) => new Uint8Array(bytes),
): Uint8Array<ArrayBuffer> {
  if ('data' in message && message.data instanceof Uint8Array && message.data.length >= longBinary)
    return encodeWithPicture(message, take);
  const bytes = packr.pack(message) as Uint8Array;
  // msgpackr returns views of a buffer that it reuses; the caller needs a copy.
  return new Uint8Array(bytes);
}

/** Encodes a message that is mostly a picture, and copies the picture only once. */
function encodeWithPicture(
  message: Extract<ClientMessage | ServerMessage, { readonly data: Uint8Array }>,
  take: Take,
): Uint8Array<ArrayBuffer> {
  const { data } = message;
  // Runs for each result: rest and spread properties take three times as long.
  const others: Record<string, unknown> = {};
  for (const name in message) if (name !== 'data') others[name] = message[name as keyof typeof message];
  others['data'] = noBytes;
  const packed = packr.pack(others) as Uint8Array;
  // Ends with the header of an empty binary (2 bytes); the header of the picture replaces it.
  const at = packed.length - 2;
  const short = data.length < 0x1_0000;
  const start = at + (short ? 3 : 5);
  const bytes = take(start + data.length);
  bytes.set(packed);
  bytes[at] = short ? 0xc5 : 0xc6;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (short) view.setUint16(at + 1, data.length);
  else view.setUint32(at + 1, data.length);
  bytes.set(data, start);
  return bytes.subarray(0, start + data.length);
}

/**
 * Decodes one message and checks only its outer form (a map with a string `type`): the receiver checks the fields.
 * Binary fields are views into `bytes`.
 * @throws {TypeError} if the bytes are not MessagePack, have trailing bytes, use extension types, have a key that is
 * not a string or is repeated within its map, nest deeper than 8, have more than 4096 values, or are not such a map.
 */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly type: string } & Readonly<Record<string, unknown>> {
  const value = unpack(bytes);
  if (!isTagged(value)) throw new TypeError('not a MessagePack map with a string "type"');
  return value;
}

/**
 * Decodes a map of another protocol, within the same limits.
 * @throws {TypeError} as `decodeMessage`, but the map needs no `type`.
 */
export function decodeMap(bytes: Uint8Array): Readonly<Record<string, unknown>> {
  const value = unpack(bytes);
  if (!isMap(value) || value instanceof Uint8Array) throw new TypeError('not a MessagePack map');
  return value;
}

/** Encodes a map of another protocol as MessagePack. */
export function encodeMap(map: object): Uint8Array<ArrayBuffer> {
  return new Uint8Array(packr.pack(map) as Uint8Array);
}

/** @throws {TypeError} */
function unpack(bytes: Uint8Array): unknown {
  checkStructure(bytes);
  try {
    return packr.unpack(bytes);
  } catch (cause) {
    throw new TypeError('not valid MessagePack', { cause });
  }
}

function isTagged(value: unknown): value is { readonly type: string } & Readonly<Record<string, unknown>> {
  return isMap(value) && typeof value['type'] === 'string';
}
