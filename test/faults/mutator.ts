import { readdirSync, readFileSync } from 'node:fs';
import { encodeMessage, type ClientMessage } from '@millrace/protocol';
import { Random } from '../support/random.js';

const folder = new URL('../../../protocol/fixtures/', import.meta.url);

/** Messages to start from: the golden ones of both sides, and some that a live session accepts. */
const seeds: readonly Uint8Array[] = [
  ...readdirSync(folder)
    .filter((file) => file.endsWith('.bin'))
    .map((file) => new Uint8Array(readFileSync(new URL(file, folder)))),
  ...(
    [
      { type: 'hello', parameters: { width: 64, height: 64 }, sent: 1 },
      { type: 'frame', id: 7, captured: 1.5, data: Uint8Array.of(0xff, 0xd8, 0xff, 0xd9) },
      { type: 'update', request: 1, parameters: { t_index_list: [18, 30], prompt: 'a fox' } },
      { type: 'ping', sent: 3, offset: -1 },
      { type: 'ack', sequence: 0 },
    ] as const satisfies readonly ClientMessage[]
  ).map((message) => encodeMessage(message)),
];

/** Damages messages byte by byte; the same seed gives the same damage. */
export class Mutator {
  readonly #random: Random;

  constructor(seed: number) {
    this.#random = new Random(seed);
  }

  next(): Uint8Array<ArrayBuffer> {
    let bytes: Uint8Array = this.#pick(seeds).slice();
    for (let changes = 1 + this.#random.below(4); changes > 0; changes--) bytes = this.#damage(bytes);
    return new Uint8Array(bytes);
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#random.below(items.length)];
  }

  #damage(bytes: Uint8Array): Uint8Array {
    const at = this.#random.below(bytes.length + 1);
    const length = this.#random.below(8);
    switch (this.#random.below(6)) {
      case 0:
        return bytes.length === 0 ? bytes : bytes.with(at % bytes.length, this.#random.below(256));
      case 1:
        return bytes.length === 0
          ? bytes
          : bytes.with(at % bytes.length, bytes[at % bytes.length] ^ (1 << this.#random.below(8)));
      case 2:
        return bytes.subarray(0, at);
      case 3:
        return join(bytes.subarray(0, at), this.#noise(length), bytes.subarray(at));
      case 4:
        return join(bytes.subarray(0, at), bytes.subarray(at + length));
      default:
        return join(bytes.subarray(0, at), this.#pick(seeds).subarray(at));
    }
  }

  /** Returns random bytes, half of them with a special meaning in MessagePack. */
  #noise(length: number): Uint8Array {
    const special = [
      0x80, 0x90, 0xa0, 0xc0, 0xc1, 0xc4, 0xc7, 0xca, 0xcb, 0xcf, 0xd3, 0xdb, 0xdd, 0xdf, 0xff,
    ];
    return Uint8Array.from({ length }, () =>
      this.#random.below(2) === 0 ? this.#pick(special) : this.#random.below(256),
    );
  }
}

function join(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}
