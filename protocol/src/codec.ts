import { Packr } from 'msgpackr';
import type { ClientMessage, ServerMessage } from './messages.js';
import { checkStructure } from './structure.js';

/** Plain MessagePack: no record extension, so that every reader in every language can decode it. */
const packr = new Packr({
  useRecords: false,
  mapsAsObjects: true,
  int64AsType: 'number',
  variableMapSize: true,
});

/** Shorter binaries are not worth a way of their own. */
const longBinary = 1024;
const noBytes = new Uint8Array(0);

/** Gives memory of at least `bytes` bytes. */
type Take = (bytes: number) => Uint8Array<ArrayBuffer>;

/**
 * Encodes one message as MessagePack.
 * @param take gives the memory for a message with a picture; new memory by default.
 */
export function encodeMessage(
  message: ClientMessage | ServerMessage,
  take: Take = (bytes) => new Uint8Array(bytes),
): Uint8Array<ArrayBuffer> {
  if ('data' in message && message.data instanceof Uint8Array && message.data.length >= longBinary)
    return encodeWithPicture(message, take);
  const bytes = packr.pack(message) as Uint8Array;
  // msgpackr hands out views of a buffer that it reuses; what leaves here belongs to the caller.
  return new Uint8Array(bytes);
}

/** Encodes a message whose picture is most of it, and copies that once only. */
function encodeWithPicture(
  { data, ...others }: Extract<ClientMessage | ServerMessage, { readonly data: Uint8Array }>,
  take: Take,
): Uint8Array<ArrayBuffer> {
  // Ends with the header of an empty binary, of two bytes; that of the picture takes its place.
  const packed = packr.pack({ ...others, data: noBytes }) as Uint8Array;
  const head = packed.subarray(0, -2);
  const short = data.length < 0x1_0000;
  const start = head.length + (short ? 3 : 5);
  const bytes = take(start + data.length).subarray(0, start + data.length);
  bytes.set(head);
  bytes[head.length] = short ? 0xc5 : 0xc6;
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (short) view.setUint16(head.length + 1, data.length);
  else view.setUint32(head.length + 1, data.length);
  bytes.set(data, start);
  return bytes;
}

/**
 * Decodes one message; checks its outer form only (a map with a string `type`), since what the fields must be
 * is the receiver's to decide.
 * Binary fields are views into `bytes`.
 * @throws {TypeError} if the bytes are not MessagePack, have a rest, use extension types, have a key that is not a
 * string or stands twice in its map, nest deeper than 8 or have more than 4096 values, or are not such a map.
 */
export function decodeMessage(
  bytes: Uint8Array,
): { readonly type: string } & Readonly<Record<string, unknown>> {
  checkStructure(bytes);
  let value: unknown;
  try {
    value = packr.unpack(bytes);
  } catch (cause) {
    throw new TypeError('not valid MessagePack', { cause });
  }
  if (!isTagged(value)) throw new TypeError('not a MessagePack map with a string "type"');
  return value;
}

function isTagged(value: unknown): value is { type: string } & Record<string, unknown> {
  return (
    typeof value === 'object' &&
    value !== null &&
    !Array.isArray(value) &&
    'type' in value &&
    typeof value.type === 'string'
  );
}
