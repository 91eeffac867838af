import type { Values } from './types.js';

/** A sequence of numbers without an end, or as long as a latent. */
export interface Numbers {
  next(): number;
}

/** A seeded generator of unit Gaussian numbers: sfc32 and Box-Muller. Equal keys give equal numbers everywhere. */
export class Gaussian implements Numbers {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;
  #spare: number | null = null;

  /** @param key integers, of which the low 32 bits are used. */
  constructor(...key: readonly number[]) {
    [this.#a, this.#b, this.#c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
    for (const part of key) {
      this.#a = (this.#a ^ part) | 0;
      for (let i = 0; i < 12; i++) this.#bits();
    }
  }

  /** Returns a uniform number in [0, 1). */
  uniform(): number {
    return (this.#bits() >>> 0) / 4294967296;
  }

  next(): number {
    if (this.#spare !== null) {
      const value = this.#spare;
      this.#spare = null;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  fill<Out extends Values>(out: Out): Out {
    for (let i = 0; i < out.length; i++) out[i] = this.next();
    return out;
  }

  #bits(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    this.#c |= 0;
    return sum;
  }
}
