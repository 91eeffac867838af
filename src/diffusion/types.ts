/** Values of one latent image, [channels, height, width] row by row. */
export type Latent = Float32Array;

/** The same, perhaps in double precision. */
export type Values = Float32Array | Float64Array;

/** What a U-Net was trained to predict (diffusers: `prediction_type`). */
export type PredictionType = 'epsilon' | 'v_prediction' | 'sample';

/**
 * One U-Net call in the life of a frame. In the variance-preserving coordinates that the U-Net sees,
 * a noised latent is `a * x0 + b * z` with a = sqrt(abar) and b = sqrt(1 - abar), abar the cumulative
 * product of 1 - beta at this noise level.
 */
export interface Stage {
  /** Timestep given to the U-Net; may be fractional. */
  readonly timestep: number;
  readonly a: number;
  readonly b: number;
  /**
   * U-Net input over solver sample: 1 for solvers that keep variance-preserving samples, a for those that
   * keep x0 + sigma * z (Euler and kin). A sample at this stage is (a * x0 + b * z) / inputScale.
   */
  readonly inputScale: number;
}

/** What a solver remembers of one sample between stages. Plain data, so that it can move to another node. */
export type History = Record<string, Values | number>;

/** One step of one sample. Arrays have equal lengths; none is kept after the call. */
export interface Step {
  /** Index into `stages`. At stage 0 the history counts as empty, whatever is in it. */
  readonly stage: number;
  /** The sample at this stage, in the solver's own coordinates. Not written to. */
  readonly sample: Values;
  /**
   * The noise in it as predicted, after guidance. Not written to. In double precision, since at little signal
   * x0 = (x - b eps) / a is a small difference many times over.
   */
  readonly eps: Values;
  /** Gaussian noise of unit variance, for solvers that add noise. Not written to. */
  readonly noise: Values;
  /** From `createHistory`; read and written. */
  readonly history: History;
  /** Receives the sample of the next stage, after the last stage the finished latent. May be `sample`. */
  readonly out: Values;
}

/** A sampler as a value: pure maths from one stage to the next (names and behaviour as in diffusers). */
export interface Solver {
  /** The U-Net calls that one frame needs, in order; at least one. */
  readonly stages: readonly Stage[];
  /** A start from pure noise (txt2img) is unit Gaussian noise times this, in the solver's own coordinates. */
  readonly initNoiseSigma: number;
  /** Whether `step` at this stage reads `noise`. */
  readonly addsNoise: boolean;
  /** Memory for one sample of `length` values. Steps allocate nothing. */
  createHistory(length: number): History;
  step(step: Step): void;
}
