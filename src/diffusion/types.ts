/** Values of one latent image: [channels, height, width], row-major. */
export type Latent = Float32Array;

/** Values of a latent in single or double precision. */
export type Values = Float32Array | Float64Array;

/**
 * The training target of a U-Net (diffusers: `prediction_type`). `flow`: noise minus data; `reverse_flow`: data minus
 * noise (InstaFlow). The last three are those of PeRFlow, and mean something within a window of time alone.
 */
export type PredictionType =
  'epsilon' | 'v_prediction' | 'sample' | 'flow' | 'reverse_flow' | 'ddim_eps' | 'diff_eps' | 'velocity';

/** The predicted noise as a sum of weighted terms: the output of the U-Net, and its input. */
export interface NoiseWeights {
  readonly output: number;
  readonly input: number;
}

/**
 * One U-Net call in the life of a frame. In the coordinates of the U-Net, a noised latent is `a * x0 + b * z`. Where
 * these preserve the variance, a = sqrt(abar) and b = sqrt(1 - abar), where abar is the cumulative product of 1 - beta
 * at this noise level. Of a flow, a = 1 - sigma and b = sigma.
 */
export interface Stage {
  /** Timestep given to the U-Net; may be fractional. */
  readonly timestep: number;
  readonly a: number;
  readonly b: number;
  /**
   * Ratio of U-Net input to solver sample: 1 for solvers with variance-preserving samples, a for those with samples
   * x0 + sigma * z (Euler, Heun). A sample at this stage is (a * x0 + b * z) / inputScale.
   */
  readonly inputScale: number;
  /** What the U-Net predicts here, if that is a matter of the schedule; absent: what `PredictionType` says. */
  readonly noiseWeights?: NoiseWeights;
}

/** The memory of a solver for one sample between stages. Plain data, so that it can move to another node. */
export type History = Record<string, Values | number>;

/** One step of one sample. Arrays have equal lengths, and are not kept after the call. */
export interface Step {
  /** Index into `stages`. At stage 0 the content of the history is ignored. */
  readonly stage: number;
  /** The sample at this stage, in the solver's own coordinates. Not written to. */
  readonly sample: Values;
  /**
   * The predicted noise, after guidance. Not written to. In double precision, since with little signal
   * x0 = (x - b eps) / a amplifies a small difference.
   */
  readonly eps: Values;
  /** Gaussian noise of unit variance, for solvers that add noise. Not written to. */
  readonly noise: Values;
  /** From `createHistory`; read and written. */
  readonly history: History;
  /** Receives the sample of the next stage, or the finished latent after the last one. May be `sample`. */
  readonly out: Values;
}

/** A sampler: pure maths from one stage to the next (names and behaviour as in diffusers). */
export interface Solver {
  /** The U-Net calls that one frame needs, in order; at least one. */
  readonly stages: readonly Stage[];
  /** Factor of unit Gaussian noise at the start of txt2img, in the solver's own coordinates. */
  readonly initNoiseSigma: number;
  /** Whether any `step` reads `noise`. */
  readonly addsNoise: boolean;
  /** Whether samples revert to the input of the frame: then the history has it as `mean` before the first step. */
  readonly revertsToMean?: boolean;
  /** Creates the memory for one sample of `length` values. Steps allocate nothing. */
  createHistory(length: number): History;
  step(step: Step): void;
}
