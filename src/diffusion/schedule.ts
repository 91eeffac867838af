import type { ModelStatistics } from './statistics.js';
import type { PredictionType } from './types.js';

export type TimestepSpacing = 'leading' | 'trailing' | 'linspace';

/** The diffusion of a network that restores pictures: it ends at the degraded picture with noise (MR-Sampler). */
export interface MeanRevertingConfig {
  /** Standard deviation of the noise, in units of 255 if at least 1. */
  readonly max_sigma: number;
  /** Last training timestep. */
  readonly T: number;
  /** Share of the clean picture that is left at the end. */
  readonly eps: number;
}

/**
 * The supported fields of a diffusers scheduler_config.json. A missing field has the default of the diffusers class
 * that the solver is named after; missing betas, that of DDPM.
 */
export interface SchedulerConfig {
  readonly num_train_timesteps?: number | undefined;
  readonly beta_start?: number | undefined;
  readonly beta_end?: number | undefined;
  readonly beta_schedule?: string | undefined;
  readonly trained_betas?: readonly number[] | null | undefined;
  readonly rescale_betas_zero_snr?: boolean | undefined;
  readonly prediction_type?: PredictionType | undefined;
  readonly timestep_spacing?: TimestepSpacing | undefined;
  readonly steps_offset?: number | undefined;
  /** DDIM, PNDM: whether the schedule ends at abar 1 instead of that of timestep 0. */
  readonly set_alpha_to_one?: boolean | undefined;
  /** LCM, TCD: length of the grid on which the model was distilled. */
  readonly original_inference_steps?: number | undefined;
  /** LCM. */
  readonly timestep_scaling?: number | undefined;
  /** DPM-Solver: midpoint or heun. UniPC: bh1 or bh2. */
  readonly solver_type?: string | undefined;
  readonly lower_order_final?: boolean | undefined;
  readonly euler_at_final?: boolean | undefined;
  /** Noise level at the end of the schedule: none, or that of timestep 0. */
  readonly final_sigmas_type?: 'zero' | 'sigma_min' | undefined;
  /** DPM-Solver: lower bound of log(a / b), which limits the start of the schedule. */
  readonly lambda_min_clipped?: number | null | undefined;
  readonly use_exponential_sigmas?: boolean | undefined;
  readonly use_beta_sigmas?: boolean | undefined;
  /** DPM-Solver. */
  readonly use_lu_lambdas?: boolean | undefined;
  /** Ends of Karras, exponential and beta sigmas (Euler, UniPC); null takes those of the model. */
  readonly sigma_min?: number | null | undefined;
  readonly sigma_max?: number | null | undefined;
  /** UniPC: whether to solve for x0 instead of the noise. */
  readonly predict_x0?: boolean | undefined;
  /** UniPC: steps whose result is not corrected. */
  readonly disable_corrector?: readonly number[] | undefined;
  /** PNDM: whether to start with linear multistep instead of Runge-Kutta. */
  readonly skip_prk_steps?: boolean | undefined;
  /** DDIM, LCM, Heun: clip clean estimates to plus and minus `clip_sample_range`. Default: off. */
  readonly clip_sample?: boolean | undefined;
  readonly clip_sample_range?: number | undefined;
  /** DDIM, LCM, DPM-Solver, DEIS, UniPC: dynamic thresholding of clean estimates. Default: off. */
  readonly thresholding?: boolean | undefined;
  readonly dynamic_thresholding_ratio?: number | undefined;
  readonly sample_max_value?: number | undefined;
  /** Euler: noise levels of the timesteps, or equal ratios from the highest to the lowest of the training. */
  readonly interpolation_type?: string | undefined;
  /** Flow matching: how far noise levels are moved towards noise; 1 is not at all. */
  readonly shift?: number | undefined;
  /** Flow matching: whether the shift grows with the picture, between these values of its logarithm. */
  readonly use_dynamic_shifting?: boolean | undefined;
  readonly base_shift?: number | undefined;
  readonly max_shift?: number | undefined;
  /** The sizes of pictures with these shifts, in squares of 2 x 2 positions of the latent. */
  readonly base_image_seq_len?: number | undefined;
  readonly max_image_seq_len?: number | undefined;
  /** Whether it is the logarithm of the shift, or the shift itself, that grows. */
  readonly time_shift_type?: 'exponential' | 'linear' | undefined;
  /** Flow matching: the last noise level, to which the others are stretched. */
  readonly shift_terminal?: number | null | undefined;
  /** PeRFlow: the number of windows of time in which the model moves along straight lines. */
  readonly num_time_windows?: number | undefined;
  /** DPM-Solver-v3; not in the file of diffusers but in one of its own. */
  readonly statistics?: ModelStatistics | undefined;
  /** Instead of all above: a mean-reverting model, with the cosine schedule. */
  readonly mean_reverting?: MeanRevertingConfig | undefined;
  // Settings that no solver here supports: if one is on, creating a solver fails. Default: off.
  readonly use_flow_sigmas?: boolean | undefined;
  readonly timestep_type?: string | undefined;
  readonly invert_sigmas?: boolean | undefined;
}

/** The noise levels of a model's training. */
export interface NoiseSchedule {
  /** abar_t = product of (1 - beta_s) for s <= t, descending; one for each training timestep. */
  readonly alphasCumprod: Float64Array;
}

/** The schedules that `createNoiseSchedule` supports. */
const betaSchedules = ['linear', 'scaled_linear', 'squaredcos_cap_v2', 'sigmoid', 'laplace'] as const;

/** abar of pure noise: kept above 0, so that x0 = (x - b eps) / a comes close to its limit. */
export const pureNoise = 2 ** -60;

/**
 * Creates the noise schedule of a model (DDPM: Ho et al. 2020, section 4; cosine: Nichol and Dhariwal 2021,
 * equation 17; zero terminal SNR: Lin et al. 2023, algorithm 1).
 * @throws {RangeError} if the schedule of the configuration is unknown.
 */
export function createNoiseSchedule(config: SchedulerConfig): NoiseSchedule {
  // Rounded to single precision where training rounds, since at low noise 1 - abar has only a few digits.
  const betas = Float32Array.from(trainingBetas(config));
  const alphasCumprod = new Float64Array(betas.length);
  let product = 1;
  for (const [t, beta] of betas.entries()) {
    product *= Math.fround(1 - beta);
    alphasCumprod[t] = Math.fround(product);
  }
  if (config.rescale_betas_zero_snr === true) rescaleToZeroTerminalSnr(alphasCumprod);
  return { alphasCumprod };
}

function trainingBetas(config: SchedulerConfig): ArrayLike<number> {
  const {
    num_train_timesteps: count = 1000,
    beta_start: start = 0.0001,
    beta_end: end = 0.02,
    beta_schedule: schedule = 'linear',
    trained_betas: trained,
  } = config;
  if (trained != null) return trained;
  switch (schedule) {
    case 'linear':
      return ramp(start, end, count);
    case 'scaled_linear':
      return ramp(start ** 0.5, end ** 0.5, count).map((root) => root ** 2);
    case 'squaredcos_cap_v2':
      return betasOf(cosineAlphaCumprod, count);
    case 'laplace':
      return betasOf(laplaceAlphaCumprod, count);
    case 'sigmoid':
      return ramp(-6, 6, count).map((at) => (end - start) / (1 + Math.exp(-at)) + start);
    default:
      throw new RangeError(
        `beta_schedule must be ${betaSchedules.join(', ')}, not ${JSON.stringify(schedule)}`,
      );
  }
}

/** Returns `count` evenly spaced numbers from `start` to `end`. */
function ramp(start: number, end: number, count: number): number[] {
  return Array.from({ length: count }, (_, i) => {
    return count === 1 ? start : start + ((end - start) * i) / (count - 1);
  });
}

/** Returns the betas for a curve of abar over the training, from 0 to 1. */
function betasOf(alphaCumprod: (part: number) => number, count: number): number[] {
  return Array.from({ length: count }, (_, t) =>
    Math.min(1 - alphaCumprod((t + 1) / count) / alphaCumprod(t / count), 0.999),
  );
}

/** Returns abar as DDPMScheduler of diffusers does, after Hang et al. 2024, table 1. */
function laplaceAlphaCumprod(part: number): number {
  const side = part <= 0.5 ? 1 : -1;
  const snr = Math.exp(-0.5 * side * Math.log(1 - 2 * Math.abs(0.5 - part) + 1e-6));
  return Math.sqrt(snr / (1 + snr));
}

function cosineAlphaCumprod(part: number): number {
  return Math.cos(((part + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
}

function rescaleToZeroTerminalSnr(alphasCumprod: Float64Array): void {
  const roots = alphasCumprod.map(Math.sqrt);
  const first = roots[0];
  const last = roots.at(-1) ?? 0;
  for (const [t, root] of roots.entries()) {
    const a = ((root - last) * first) / (first - last);
    alphasCumprod[t] = Math.max(a * a, pureNoise);
  }
}
