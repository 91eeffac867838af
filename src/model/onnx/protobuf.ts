import { closeSync, fstatSync, openSync, readSync } from 'node:fs';

/** One field of a protobuf message. */
export interface Field {
  readonly number: number;
  /** The value itself; the length of texts, bytes and messages. */
  readonly value: number;
  /** Where the field ends in the file; a message within it starts at the cursor's position. */
  readonly end: number;
}

const chunk = 64 * 1024;
/** Length in bytes of 64-bit and 32-bit numbers, by wire type. */
const fixedLengths: Readonly<Record<number, number>> = { 1: 8, 5: 4 };

/** Opens a protobuf file, and closes it when `read` is done with it. */
export function readProtobuf<Result>(
  path: string,
  read: (cursor: ProtobufCursor, descriptor: number) => Result,
): Result {
  const descriptor = openSync(path, 'r');
  try {
    return read(new ProtobufCursor(descriptor, fstatSync(descriptor).size), descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/** Reads only parts of a protobuf file, so that gigabytes of weights are skipped. */
export class ProtobufCursor {
  position = 0;
  readonly size: number;
  readonly #descriptor: number;
  readonly #buffer = Buffer.alloc(chunk);
  #start = 0;
  #filled = 0;

  /** @param descriptor an open file. @param size its length in bytes. */
  constructor(descriptor: number, size: number) {
    this.#descriptor = descriptor;
    this.size = size;
  }

  /**
   * Yields the fields from here to `end`. After each the cursor moves to its end, however much of it was read.
   * @throws {RangeError} if the bytes are not a protobuf message that ends there.
   */
  *fields(end: number): Generator<Field, void, void> {
    while (this.position < end) {
      const tag = this.#varint();
      const number = Math.floor(tag / 8);
      const wire = tag % 8;
      const value = fixedLengths[wire] ?? this.#varint();
      if (![0, 1, 2, 5].includes(wire) || number === 0) throw new RangeError('not a protobuf message');
      const stop = this.position + (wire === 0 ? 0 : value);
      if (stop > end) throw new RangeError(`a field ends at byte ${stop}, after its message`);
      yield { number, value, end: stop };
      this.position = stop;
    }
  }

  /** Reads the text of the current field. */
  text({ end }: Field): string {
    const bytes = Buffer.alloc(end - this.position);
    for (let i = 0; i < bytes.length; i++) bytes[i] = this.#byte();
    return bytes.toString('utf8');
  }

  #varint(): number {
    let value = 0;
    for (let factor = 1; ; factor *= 128) {
      const byte = this.#byte();
      value += (byte & 0x7f) * factor;
      if (byte < 0x80) return value;
      if (factor > 2 ** 63) throw new RangeError('not a protobuf message');
    }
  }

  #byte(): number {
    const place = this.position - this.#start;
    if (place < 0 || place >= this.#filled) {
      this.#start = this.position;
      this.#filled = readSync(this.#descriptor, this.#buffer, 0, chunk, this.position);
      if (this.#filled === 0) throw new RangeError('the file ends within a message');
    }
    return this.#buffer[this.position++ - this.#start] ?? 0;
  }
}
