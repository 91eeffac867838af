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

/** Encodes one message as MessagePack. */
export function encodeMessage(message: ClientMessage | ServerMessage): Uint8Array<ArrayBuffer> {
  const bytes = packr.pack(message) as Uint8Array;
  // msgpackr hands out views of a buffer that it reuses; what leaves here belongs to the caller.
  return new Uint8Array(bytes);
}

/**
 * Decodes one message; checks its outer form only (a map with a string `type`), since what the fields must be
 * is the receiver's to decide.
 * Binary fields are views into `bytes`.
 * @throws {TypeError} if the bytes are no MessagePack, have a rest, use extension types, nest deeper than 8 or
 * have more than 4096 values, or are no such map.
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
