import { SolverError } from './solver-options.js';
import type { NoiseSchedule } from './schedule.js';

/**
 * Predicts the noise in a variance-preserving sample, after guidance. Both ways of a round trip ask for the same
 * samples, up to rounding.
 */
export type NoisePredictor = (sample: Float64Array, timestep: number) => Promise<ArrayLike<number>>;

/** Two neighbouring samples. BDIA steps from such a pair to the next, in both directions. */
export interface SamplePair {
  readonly noisiest: Float64Array;
  readonly next: Float64Array;
}

/** A noise level, with the timestep at which the U-Net is asked. */
interface Level {
  readonly timestep: number;
  readonly a: number;
  readonly b: number;
}

/**
 * @param steps 2 to the number of training timesteps.
 * @param gamma above 0, up to 1.
 * @throws {SolverError} if one of them is out of range.
 */
export function checkInversion(
  { alphasCumprod }: NoiseSchedule,
  { steps, gamma }: { readonly steps: number; readonly gamma: number },
): void {
  const trained = alphasCumprod.length;
  if (!Number.isInteger(steps) || steps < 2 || steps > trained)
    throw new SolverError('steps', `must be a whole number from 2 to ${trained}, not ${steps}`);
  if (!(gamma > 0 && gamma <= 1)) throw new SolverError('gamma', `must be above 0, up to 1, not ${gamma}`);
}

/**
 * Exact inversion by bi-directional integration (BDIA: Zhang et al. 2024, editing), in double precision: `invert` finds
 * the noise of a clean latent, and `sample` leads back to the same latent, or to another one under another prompt.
 * Rounding errors grow by 1 / gamma a step.
 */
export class BdiaInversion {
  readonly #gamma: number;
  /** From clean to noisy. The clean one lies a step below timestep 0, and has its level. */
  readonly #levels: readonly Level[];

  /**
   * @param steps takes one U-Net call less each way.
   * @throws {SolverError} if one of them is out of range.
   */
  constructor({ alphasCumprod }: NoiseSchedule, steps: number, gamma: number) {
    checkInversion({ alphasCumprod }, { steps, gamma });
    this.#gamma = gamma;
    const stride = Math.floor(alphasCumprod.length / steps);
    this.#levels = Array.from({ length: steps + 1 }, (_, i) => {
      const timestep = (i - 1) * stride;
      const abar = alphasCumprod[Math.max(timestep, 0)];
      return { timestep, a: Math.sqrt(abar), b: Math.sqrt(1 - abar) };
    });
  }

  /** Returns the noisy end of the way to a clean latent. */
  async invert(clean: Float64Array, predict: NoisePredictor): Promise<SamplePair> {
    const last = this.#levels.length - 1;
    // The first two levels are the same: the step between them changes nothing.
    let [before, sample] = [clean, clean];
    for (let i = 1; i < last; i++) {
      const eps = await predict(sample, this.#levels[i].timestep);
      const [up, down] = [this.#move(sample, eps, i, i + 1), this.#move(sample, eps, i, i - 1)];
      const next = up.map((value, k) => value + (before[k] - down[k]) / this.#gamma);
      [before, sample] = [sample, next];
    }
    return { noisiest: sample, next: before };
  }

  /** Returns the clean latent at the end of the way from a pair. */
  async sample({ noisiest, next: start }: SamplePair, predict: NoisePredictor): Promise<Float64Array> {
    let [before, sample] = [noisiest, start];
    for (let i = this.#levels.length - 2; i > 0; i--) {
      const eps = await predict(sample, this.#levels[i].timestep);
      const [up, down] = [this.#move(sample, eps, i, i + 1), this.#move(sample, eps, i, i - 1)];
      const next = down.map((value, k) => value + this.#gamma * (before[k] - up[k]));
      [before, sample] = [sample, next];
    }
    return sample;
  }

  /** Returns the sample moved from one level to another by DDIM. */
  #move(sample: Float64Array, eps: ArrayLike<number>, from: number, to: number): Float64Array {
    const [s, t] = [this.#levels[from], this.#levels[to]];
    return sample.map((value, k) => (t.a * (value - s.b * eps[k])) / s.a + t.b * eps[k]);
  }
}
