import { BrownianPath, stepNoise } from './brownian.js';
import { Gaussian, type Numbers } from './gaussian.js';
import type { Latent } from './types.js';
import { writeWeightedSum } from './weighted-sum.js';

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

/** Draws that are kept for each stage: without drift there is one, with drift the noise of a frame takes two. */
const maxDraws = 3;
/** Part of the key that separates the draws of txt2img from those of the stages. */
const startKey = 0x7374;
/** Part of the key of Brownian paths, which separates them from other draws. */
const pathKey = 0x6270;

/**
 * Seeded noise of one stream. Stage noise is drawn once and reused (StreamDiffusion section 3.6: pre-computed), or
 * changes slowly with `drift` > 0: over 1/drift frames it moves from one draw to the next along a quarter circle, which
 * keeps its variance at 1. The noise of a frame depends only on its ordinal, not on earlier calls.
 *
 * With the times of the stages (`brownianTime`), what solvers add is not drawn for each stage, but the change of one
 * Brownian path from stage to stage: plans with other stages follow the same path.
 */
export class SeededNoise implements NoiseSource {
  readonly #seeds: readonly WeightedSeed[];
  readonly #length: number;
  readonly #drift: number;
  readonly #times: readonly number[] | null;
  /** The last few draws of each stage, by position. */
  readonly #draws = new Map<number, Map<number, Latent>>();
  readonly #mixed: Latent;

  /**
   * @param length values per latent.
   * @param drift draws per frame; 0 keeps the noise constant.
   * @param times of the stages, for noise by time; null draws it by stage.
   */
  constructor(
    seeds: readonly WeightedSeed[],
    length: number,
    drift: number,
    times: readonly number[] | null = null,
  ) {
    this.#seeds = seeds;
    this.#length = length;
    this.#drift = drift;
    this.#times = times;
    this.#mixed = new Float32Array(length);
  }

  at(stage: number, ordinal: number): Latent {
    const position = this.#drift * ordinal;
    const from = Math.floor(position);
    const z = this.#draw(stage, from);
    const angle = ((position - from) * Math.PI) / 2;
    if (angle === 0) return z;
    const next = this.#draw(stage, from + 1);
    writeWeightedSum(this.#mixed, Math.cos(angle), z, Math.sin(angle), next);
    return this.#mixed;
  }

  start(ordinal: number): Latent {
    return this.#blend(this.#mixed, (seed) => new Gaussian(seed, startKey, ordinal));
  }

  #draw(stage: number, position: number): Latent {
    const draws = this.#draws.get(stage) ?? new Map<number, Latent>();
    this.#draws.set(stage, draws);
    const known = draws.get(position);
    if (known !== undefined) return known;
    const draw = this.#blend(new Float32Array(this.#length), (seed) => this.#numbers(seed, stage, position));
    draws.set(position, draw);
    const [oldest] = draws.keys();
    // Frames under way may ask for positions that lie further back, which are drawn again.
    if (oldest !== undefined && draws.size > maxDraws) draws.delete(oldest);
    return draw;
  }

  #numbers(seed: number, stage: number, position: number): Numbers {
    if (this.#times === null || stage === 0) return new Gaussian(seed, stage, position);
    return stepNoise(new BrownianPath(this.#length, seed, pathKey, position), this.#times, stage);
  }

  /** Writes the sum of w_k z_k over the seeds, scaled to unit variance, to `out`. */
  #blend(out: Latent, numbersOf: (seed: number) => Numbers): Latent {
    const norm = Math.hypot(...this.#seeds.map((s) => s.weight));
    out.fill(0);
    for (const { seed, weight } of this.#seeds) {
      if (weight === 0) continue;
      const numbers = numbersOf(seed);
      for (let i = 0; i < out.length; i++) out[i] += (weight / norm) * numbers.next();
    }
    return out;
  }
}
