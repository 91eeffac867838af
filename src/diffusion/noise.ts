import type { Latent } from './types.js';

/** One of several seeds whose noise is blended. */
export interface WeightedSeed {
  readonly seed: number;
  readonly weight: number;
}

/** Source of a stream's random numbers. Results of `at` and `start` are valid until their next call. */
export interface NoiseSource {
  /** Returns unit Gaussian noise z_i of stage i, for the frame with this ordinal (0, 1, 2, ... in the stream). */
  at(stage: number, ordinal: number): Latent;
  /** Returns a separate unit Gaussian draw for each frame, the start of txt2img. */
  start(ordinal: number): Latent;
}

/** A seeded generator of unit Gaussian numbers: sfc32 and Box-Muller. Equal keys give equal numbers everywhere. */
export class Gaussian {
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

  fill(out: Latent): Latent {
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

/** Draws that are kept for each stage: without drift there is one, with drift the noise of a frame takes two. */
const maxDraws = 3;
/** Part of the key that separates the draws of txt2img from those of the stages. */
const startKey = 0x7374;

/**
 * Seeded noise of one stream. Stage noise is drawn once and reused (StreamDiffusion section 3.6: pre-computed), or
 * changes slowly with `drift` > 0: over 1/drift frames it moves from one draw to the next along a quarter circle, which
 * keeps its variance at 1. The noise of a frame depends only on its ordinal, not on earlier calls.
 */
export class SeededNoise implements NoiseSource {
  readonly #seeds: readonly WeightedSeed[];
  readonly #length: number;
  readonly #drift: number;
  /** The last few draws of each stage, by position. */
  readonly #draws = new Map<number, Map<number, Latent>>();
  readonly #mixed: Latent;

  /** @param length values per latent. @param drift draws per frame; 0 keeps the noise constant. */
  constructor(seeds: readonly WeightedSeed[], length: number, drift: number) {
    this.#seeds = seeds;
    this.#length = length;
    this.#drift = drift;
    this.#mixed = new Float32Array(length);
  }

  at(stage: number, ordinal: number): Latent {
    const position = this.#drift * ordinal;
    const from = Math.floor(position);
    const z = this.#draw(stage, from);
    const angle = ((position - from) * Math.PI) / 2;
    if (angle === 0) return z;
    const next = this.#draw(stage, from + 1);
    const cos = Math.cos(angle);
    const sin = Math.sin(angle);
    for (let i = 0; i < z.length; i++) this.#mixed[i] = cos * z[i] + sin * next[i];
    return this.#mixed;
  }

  start(ordinal: number): Latent {
    return this.#blend(this.#mixed, startKey, ordinal);
  }

  #draw(stage: number, position: number): Latent {
    const draws = this.#draws.get(stage) ?? new Map<number, Latent>();
    this.#draws.set(stage, draws);
    const known = draws.get(position);
    if (known !== undefined) return known;
    const draw = this.#blend(new Float32Array(this.#length), stage, position);
    draws.set(position, draw);
    const [oldest] = draws.keys();
    // Frames under way may ask for positions that lie further back, which are drawn again.
    if (oldest !== undefined && draws.size > maxDraws) draws.delete(oldest);
    return draw;
  }

  /** Writes the sum of w_k z_k over the seeds, scaled to unit variance, to `out`. */
  #blend(out: Latent, ...key: readonly number[]): Latent {
    const norm = Math.hypot(...this.#seeds.map((s) => s.weight));
    out.fill(0);
    for (const { seed, weight } of this.#seeds) {
      if (weight === 0) continue;
      const gaussian = new Gaussian(seed, ...key);
      for (let i = 0; i < out.length; i++) out[i] += (weight / norm) * gaussian.next();
    }
    return out;
  }
}
