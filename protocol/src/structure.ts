/** Deepest nesting and largest number of values of a message; valid messages stay well below. */
const maxDepth = 8;
const maxValues = 4096;

/** MessagePack formats by their first byte, 0xc0 to 0xdf: [bytes of the fixed part that follow, kind]. */
type Kind = 'scalar' | 'bytes' | 'text' | 'array' | 'map' | 'refused';
const formats: readonly (readonly [length: number, kind: Kind])[] = [
  [0, 'scalar'], // nil
  [0, 'refused'], // never used
  [0, 'scalar'], // false
  [0, 'scalar'], // true
  [1, 'bytes'], // bin 8
  [2, 'bytes'], // bin 16
  [4, 'bytes'], // bin 32
  [1, 'refused'], // ext 8
  [2, 'refused'], // ext 16
  [4, 'refused'], // ext 32
  [4, 'scalar'], // float 32
  [8, 'scalar'], // float 64
  [1, 'scalar'], // uint 8
  [2, 'scalar'], // uint 16
  [4, 'scalar'], // uint 32
  [8, 'scalar'], // uint 64
  [1, 'scalar'], // int 8
  [2, 'scalar'], // int 16
  [4, 'scalar'], // int 32
  [8, 'scalar'], // int 64
  [2, 'refused'], // fixext 1
  [3, 'refused'], // fixext 2
  [5, 'refused'], // fixext 4
  [9, 'refused'], // fixext 8
  [17, 'refused'], // fixext 16
  [1, 'text'], // str 8
  [2, 'text'], // str 16
  [4, 'text'], // str 32
  [2, 'array'], // array 16
  [4, 'array'], // array 32
  [2, 'map'], // map 16
  [4, 'map'], // map 32
];

/** All runtimes have it (WHATWG Encoding Standard); declared here so as not to depend on the types of one. */
declare const TextDecoder: new (
  label: string,
  options: { readonly fatal: boolean; readonly ignoreBOM: boolean },
) => { decode(bytes: Uint8Array): string };

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Texts of at most this many bytes are read without a call into the decoder, if they are ASCII. */
const shortBytes = 24;

function readText(bytes: Uint8Array, start: number, end: number): string {
  if (end - start <= shortBytes) {
    let text = '';
    let at = start;
    for (let byte = 0; at < end && (byte = bytes[at] ?? 0) < 0x80; at++) text += String.fromCharCode(byte);
    if (at === end) return text;
  }
  try {
    return utf8.decode(bytes.subarray(start, end));
  } catch {
    throw new TypeError('a string is not UTF-8');
  }
}

/** An array or map that is not yet complete. */
interface Level {
  /** Number of values still to come; the keys of a map count too. */
  rest: number;
  /** The keys of a map so far; null for an array. */
  readonly keys: Set<string> | null;
}

/**
 * Checks the headers of one MessagePack value without decoding it, so that a small message cannot use much memory or
 * stack: messages of this protocol have few values, little nesting and no extension types. Keys must be strings,
 * unique in their map: decoders disagree about others.
 * @throws {TypeError} if it is cut short, has trailing bytes, a string that is not UTF-8, an extension type, or another
 * key, or exceeds the limits.
 */
export function checkStructure(bytes: Uint8Array): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const open: Level[] = [{ rest: 1, keys: null }];
  let position = 0;
  let values = 0;
  for (let level = open.at(-1); level !== undefined; level = open.at(-1)) {
    if (level.rest === 0) {
      open.pop();
      continue;
    }
    const isKey = level.keys !== null && level.rest % 2 === 0;
    level.rest -= 1;
    if (++values > maxValues) throw new TypeError(`more than ${maxValues} values`);
    if (position >= bytes.length) throw new TypeError('the message is cut short');
    const { end, kind, count } = readHeader(view, position);
    position = end;
    if (position > bytes.length) throw new TypeError('the message is cut short');
    const text = kind === 'text' ? readText(bytes, position - count, position) : null;
    if (isKey) checkKey(text, level.keys);
    if ((kind !== 'map' && kind !== 'array') || count === 0) continue;
    if (open.length > maxDepth) throw new TypeError(`nested deeper than ${maxDepth}`);
    open.push(kind === 'map' ? { rest: 2 * count, keys: new Set() } : { rest: count, keys: null });
  }
  if (position !== bytes.length) throw new TypeError('bytes are left over after the message');
}

/** @param key null if it is not a string. */
function checkKey(key: string | null, keys: Set<string> | null): void {
  if (key === null) throw new TypeError('a key of a map is not a string');
  const shown = key.length > 40 ? `${key.slice(0, 40)}...` : key;
  if (keys?.has(key)) throw new TypeError(`a map has the key ${JSON.stringify(shown)} twice`);
  keys?.add(key);
}

interface Header {
  /** Offset at which the value's own bytes end. */
  readonly end: number;
  readonly kind: Kind;
  /** Bytes of text at its end, or number of values (pairs, for a map) that follow. */
  readonly count: number;
}

function readHeader(view: DataView, at: number): Header {
  const first = view.getUint8(at);
  if (first < 0x80 || first >= 0xe0) return { end: at + 1, kind: 'scalar', count: 0 };
  if (first < 0x90) return { end: at + 1, kind: 'map', count: first & 0x0f };
  if (first < 0xa0) return { end: at + 1, kind: 'array', count: first & 0x0f };
  if (first < 0xc0) return { end: at + 1 + (first & 0x1f), kind: 'text', count: first & 0x1f };
  const [length, kind] = formats[first - 0xc0] ?? [0, 'refused'];
  const end = at + 1 + length;
  if (kind === 'refused') throw new TypeError('MessagePack extension types are not allowed');
  if (kind === 'scalar') return { end, kind, count: 0 };
  if (end > view.byteLength) throw new TypeError('the message is cut short');
  const count = readCount(view, at + 1, length);
  return { end: kind === 'text' || kind === 'bytes' ? end + count : end, kind, count };
}

function readCount(view: DataView, at: number, length: number): number {
  if (length === 1) return view.getUint8(at);
  return length === 2 ? view.getUint16(at) : view.getUint32(at);
}
