/** A value of a message: `i`, `f`, `h` and `d` are numbers, `s` text, `b` bytes, `T` and `F` booleans, `N` null. */
export type OscValue = number | string | boolean | null | Uint8Array;

export interface OscMessage {
  readonly address: string;
  /** Arrays in it are flattened. */
  readonly values: readonly OscValue[];
}

/** A packet that is no OSC, or a message that cannot be used; the message is one line. */
export class OscError extends Error {
  override readonly name = 'OscError';
}

/** Deepest nesting of bundles. */
const maxDepth = 8;
const bundleHead = '#bundle\0';

/**
 * Reads a packet of Open Sound Control 1.0 with the usual types of 1.1; the libraries for Node.js lack doubles, 64-bit
 * integers and arrays, which TouchDesigner and Max send. Bundles are taken apart, and their times ignored: what
 * arrives is done.
 * @throws {OscError}
 */
export function readPacket(bytes: Buffer, depth = 0): readonly OscMessage[] {
  if (bytes.toString('latin1', 0, 8) !== bundleHead) return [readMessage(new Reader(bytes))];
  if (depth === maxDepth) throw new OscError(`bundles are nested more than ${maxDepth} deep`);
  const messages: OscMessage[] = [];
  // After the head come 8 bytes of time.
  for (let at = 16; at < bytes.length;) {
    const size = at + 4 <= bytes.length ? bytes.readInt32BE(at) : -1;
    if (size < 0 || at + 4 + size > bytes.length) throw new OscError('a bundle is cut short');
    messages.push(...readPacket(bytes.subarray(at + 4, at + 4 + size), depth + 1));
    at += 4 + size;
  }
  return messages;
}

/** Returns a message of texts as a packet. */
export function writeMessage(address: string, texts: readonly string[]): Buffer {
  const parts = [address, `,${'s'.repeat(texts.length)}`, ...texts];
  // Each ends in at least one zero, and at a multiple of 4.
  return Buffer.concat(
    parts.map((part) => {
      const length = Buffer.byteLength(part);
      return Buffer.concat([Buffer.from(part)], length + 4 - (length % 4));
    }),
  );
}

function readMessage(reader: Reader): OscMessage {
  const address = reader.text();
  if (!address.startsWith('/')) throw new OscError('an address must begin with a slash');
  // Old programs leave the types out; nothing is known of their values.
  const types = reader.isAtEnd ? ',' : reader.text();
  if (!types.startsWith(',')) throw new OscError(`${address} has no types`);
  const values: OscValue[] = [];
  for (const type of types.slice(1)) {
    if (type !== '[' && type !== ']') values.push(readValue(reader, type, address));
  }
  return { address, values };
}

function readValue(reader: Reader, type: string, address: string): OscValue {
  switch (type) {
    case 'i':
      return reader.take(4).readInt32BE();
    case 'f':
      // Its 24 bits are about 7 digits.
      return Number(reader.take(4).readFloatBE().toPrecision(7));
    case 'd':
      return reader.take(8).readDoubleBE();
    case 'h':
      return Number(reader.take(8).readBigInt64BE());
    case 's':
    case 'S':
      return reader.text();
    case 'b': {
      const size = reader.take(4).readInt32BE();
      return Uint8Array.from(reader.padded(size));
    }
    case 'T':
      return true;
    case 'F':
      return false;
    case 'N':
      return null;
    default:
      throw new OscError(`${address} has a value of the unknown type ${JSON.stringify(type)}`);
  }
}

/** Takes values from the front of a message. */
class Reader {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  take(size: number): Buffer {
    const end = this.#at + size;
    if (size < 0 || end > this.#bytes.length) throw new OscError('a message is cut short');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Takes bytes that are filled up to a multiple of 4. */
  padded(size: number): Buffer {
    const taken = this.take(size);
    this.take((4 - (size % 4)) % 4);
    return taken;
  }

  text(): string {
    const end = this.#bytes.indexOf(0, this.#at);
    if (end < 0) throw new OscError('a text has no end');
    const length = end - this.#at;
    return this.padded(length + 1).toString('utf8', 0, length);
  }
}
