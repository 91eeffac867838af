import { motionBetween, sourcesOf, type Grid } from './motion.js';
import { BrownianPath, stepNoise } from './brownian.js';
import { Gaussian, type Numbers } from './gaussian.js';
import { SeededNoise, type NoiseSource, type WeightedSeed } from './noise.js';
import type { Latent } from './types.js';

/** What noise needs to continue elsewhere, as plain data. */
export interface MovingNoiseState {
  /** Which draw each cell has. */
  readonly draws: Uint32Array;
  /** The number of the next draw. */
  readonly next: number;
  /** Brightness of the picture that the noise has moved with, by cell. */
  readonly luma: Uint8Array | null;
  /** The draws of frames under way, by their ordinals. */
  readonly earlier: readonly { readonly ordinal: number; readonly draws: Uint32Array }[];
}

/** Part of the key of draws for cells that come into the picture, which separates them from those of `SeededNoise`. */
const freshKey = 0x6d6f;
/** The same for the Brownian paths of such cells. */
const freshPathKey = 0x6d70;
const maxDraw = 2 ** 32;
/**
 * Frames after which a cell that is not recognised any more is compared with its new look. Between two whole cells of
 * motion, fine texture is not recognised for some frames, so it cannot be at once.
 */
const patience = 8;

/** Noise of one stage. */
interface Field {
  /** Which draws `values` has. */
  draws: Uint32Array;
  values: Latent;
  spare: Latent;
}

/**
 * Noise that moves with the picture, so that its pattern sticks to things instead of to the screen ("shower door"). It
 * begins as fixed noise. Cells exchange their values as a whole, and those that come into the picture get new ones, so
 * it stays independent and Gaussian whatever the motion. Each cell has the number of a draw; the numbers are all that
 * moves and all that is kept.
 */
export class MovingNoise implements NoiseSource {
  readonly #seeds: readonly WeightedSeed[];
  readonly #norm: number;
  readonly #channels: number;
  readonly #grid: Grid;
  readonly #times: readonly number[] | null;
  readonly #fixed: SeededNoise;
  readonly #fields = new Map<number, Field>();
  /** Draws by ordinal, for the frames under way. Arrays are not changed, and shared by frames without motion. */
  readonly #frames = new Map<number, Uint32Array>();
  #draws: Uint32Array;
  #next: number;
  /** Brightness of the cells as they were first seen. It moves with the noise, so that small motions add up. */
  #luma: Float32Array | null = null;
  /** For how many frames each cell has not been recognised. */
  #ages: Uint8Array;

  /**
   * @param shape of the latents: [channels, height, width].
   * @param times of the stages, for noise by time; null draws it by stage.
   */
  constructor(
    seeds: readonly WeightedSeed[],
    [channels, height, width]: readonly [number, number, number],
    times: readonly number[] | null = null,
  ) {
    this.#seeds = seeds;
    this.#norm = Math.hypot(...seeds.map(({ weight }) => weight));
    this.#channels = channels;
    this.#grid = { width, height };
    this.#times = times;
    this.#fixed = new SeededNoise(seeds, channels * height * width, 0, times);
    this.#draws = Uint32Array.from({ length: height * width }, (_, cell) => cell);
    this.#next = height * width;
    this.#ages = new Uint8Array(height * width);
  }

  /**
   * Moves the noise with the picture of a frame that enters.
   * @param luma brightness of its cells, from `lumaOf`. It is kept.
   * @param oldest the ordinal of the oldest frame under way: the noise of earlier ones is forgotten.
   */
  follow(ordinal: number, luma: Float32Array, oldest: number = 0): void {
    if (this.#luma === null) this.#luma = luma;
    else this.#move(this.#luma, luma);
    this.#frames.set(ordinal, this.#draws);
    for (const former of this.#frames.keys()) {
      if (former >= oldest) break;
      this.#frames.delete(former);
    }
  }

  /** Returns the noise as it was when that frame entered. */
  at(stage: number, ordinal: number): Latent {
    const draws = this.#frames.get(ordinal) ?? this.#draws;
    const field = this.#fields.get(stage) ?? this.#emptyField(stage);
    if (field.draws === draws) return field.values;
    const { values, spare } = field;
    const count = draws.length;
    const places = new Map<number, number>();
    field.draws.forEach((draw, cell) => places.set(draw, cell));
    for (let cell = 0; cell < count; cell++) {
      const from = places.get(draws[cell]);
      if (from === undefined) this.#draw(stage, draws[cell], spare, cell);
      else for (let at = 0; at < spare.length; at += count) spare[at + cell] = values[at + from];
    }
    field.draws = draws;
    field.values = spare;
    field.spare = values;
    return spare;
  }

  start(ordinal: number): Latent {
    return this.#fixed.start(ordinal);
  }

  /** Returns a copy of the state. @param ordinals the frames under way. */
  state(ordinals: readonly number[]): MovingNoiseState {
    const earlier = ordinals.flatMap((ordinal) => {
      const draws = this.#frames.get(ordinal);
      return draws ? [{ ordinal, draws: draws.slice() }] : [];
    });
    const luma = this.#luma && Uint8Array.from(this.#luma, Math.round);
    return { draws: this.#draws.slice(), next: this.#next, luma, earlier };
  }

  /** Continues from a state, unless it is of noise of another size. */
  restore({ draws, next, luma, earlier }: MovingNoiseState): void {
    const { length } = this.#draws;
    if (draws.length !== length) return;
    this.#draws = draws.slice();
    this.#next = next;
    this.#luma = luma?.length === length ? Float32Array.from(luma) : null;
    this.#ages.fill(0);
    this.#frames.clear();
    for (const frame of earlier) {
      if (frame.draws.length === length) this.#frames.set(frame.ordinal, frame.draws.slice());
    }
  }

  #move(before: Float32Array, luma: Float32Array): void {
    const motion = motionBetween(before, luma, this.#grid);
    const sources = motion ? sourcesOf(motion, this.#grid) : null;
    const from = (cell: number): number => (sources ? sources[cell] : cell);
    const [draws, ages] = [this.#draws, this.#ages];
    if (sources?.some((source, cell) => source !== cell)) {
      this.#draws = draws.map((_, cell) => (from(cell) < 0 ? this.#count() : draws[from(cell)]));
    }
    this.#ages = ages.map((_, cell) =>
      from(cell) < 0 || motion?.known[cell] === 1 ? 0 : ages[from(cell)] + 1,
    );
    this.#luma = luma.map((value, cell) => {
      if (from(cell) >= 0 && this.#ages[cell] <= patience) return before[from(cell)];
      this.#ages[cell] = 0;
      return value;
    });
  }

  #count(): number {
    const number = this.#next;
    this.#next = number + 1 < maxDraw ? number + 1 : this.#draws.length;
    return number;
  }

  #emptyField(stage: number): Field {
    const length = this.#channels * this.#draws.length;
    const field: Field = {
      draws: new Uint32Array(0),
      values: new Float32Array(length),
      spare: new Float32Array(length),
    };
    this.#fields.set(stage, field);
    return field;
  }

  /** Writes the values of a draw to a cell. */
  #draw(stage: number, draw: number, out: Latent, cell: number): void {
    const count = this.#draws.length;
    if (draw < count) {
      const fixed = this.#fixed.at(stage, 0);
      for (let at = 0; at < out.length; at += count) out[at + cell] = fixed[at + draw];
      return;
    }
    for (let at = cell; at < out.length; at += count) out[at] = 0;
    for (const { seed, weight } of this.#seeds) {
      if (weight === 0) continue;
      const numbers = this.#numbers(seed, stage, draw);
      for (let at = cell; at < out.length; at += count) out[at] += (weight / this.#norm) * numbers.next();
    }
  }

  /** Returns the numbers of a draw that came into the picture: one for each channel. */
  #numbers(seed: number, stage: number, draw: number): Numbers {
    if (this.#times === null || stage === 0) return new Gaussian(seed, freshKey, stage, draw);
    return stepNoise(new BrownianPath(this.#channels, seed, freshPathKey, draw), this.#times, stage);
  }
}
