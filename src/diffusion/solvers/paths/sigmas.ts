import { pureNoise, type NoiseSchedule, type SchedulerConfig, type TimestepSpacing } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { betaQuantile } from './beta-quantile.js';
import { indexOfValue, valueAt } from './interpolation.js';
import type { SolverOptions } from '../../solver-options.js';
import { crowdedSchedule, roundHalfToEven, selectPositions, spacedTimesteps } from './timesteps.js';

/** A sequence of descending noise levels sigma = b / a, of samples x0 + sigma z. */
export interface SigmaPath {
  readonly spacing: TimestepSpacing;
  readonly timesteps: readonly number[];
  /** Descending; one for each timestep, and that at the end of the path. */
  readonly sigmas: readonly number[];
  /** Length of the schedule, of which the path may be only the end. */
  readonly steps: number;
}

/** The kind of path that a family of solvers uses. */
export interface SigmaPathKind {
  /**
   * `inclusive` (Euler and Heun): timesteps reach down to the lowest and may be fractional; Karras sigmas span those of
   * the timesteps. `exclusive` (DPM-Solver, DEIS, UniPC): timesteps are integers and stop one step short; Karras sigmas
   * span those of the training.
   */
  readonly timesteps: 'inclusive' | 'exclusive';
  /** Sigma at the end: 0, that of timestep 0, or (`last`) the lowest of a spread path (Karras, exponential, ...). */
  readonly end: 'zero' | 'sigma_min' | 'last';
  /** Whether sigmas have equal ratios from the highest to the lowest of the training, one more than there are steps. */
  readonly logLinear?: boolean;
  /** Whether `sigma_min` and `sigma_max` of the configuration are the ends of spread sigmas. */
  readonly bounded?: boolean;
  /** Highest training timestep that is used, plus 1. */
  readonly range?: number;
}

/** @throws {SolverError} if the steps or positions are out of range or noise levels do not descend. */
export function sigmaPath(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
  kind: SigmaPathKind,
): SigmaPath {
  const trained = trainingSigmas(schedule);
  const { positions, untilEnd } = selectPositions(options, trained.length);
  const spacing = options.timestep_spacing ?? config.timestep_spacing ?? 'linspace';
  const spread = chosenSpread(config, options);
  const spaced = spacedGrid(trained, spacing, config, options, kind);
  const grid = spread === null ? spaced : spreadGrid(trained, spread, spaced, config, options, kind);
  checkFalling(grid, trained.length - 1, options);

  const { timesteps, sigmas } = grid;
  // Log-linear levels include one for the end of the schedule.
  const end = kind.logLinear === true && spread === null ? 'sigma_min' : kind.end;
  const lowest = end === 'last' && spread !== null ? Math.min(...sigmas) : trained[0];
  return {
    spacing,
    timesteps: positions.map((position) => timesteps[position]),
    sigmas: [...positions.map((position) => sigmas[position]), end === 'zero' ? 0 : lowest],
    steps: untilEnd ? timesteps.length : positions.length,
  };
}

/** Returns the stages of a path; its end has none. */
export function sigmaStages(path: SigmaPath, coordinates: 'exploding' | 'preserving'): Stage[] {
  return path.timesteps.map((timestep, i) => {
    const { a, b } = levelOfSigma(path.sigmas[i]);
    return { timestep, a, b, inputScale: coordinates === 'exploding' ? a : 1 };
  });
}

/** Returns a and b with sigma = b / a. */
export function levelOfSigma(sigma: number): { readonly a: number; readonly b: number } {
  const a = 1 / Math.sqrt(sigma ** 2 + 1);
  return { a, b: sigma * a };
}

/** Returns sigma_t = b / a of every training timestep, ascending; for pure noise (infinite), the value of diffusers. */
export function trainingSigmas(schedule: NoiseSchedule): Float32Array {
  return Float32Array.from(schedule.alphasCumprod, (alphaCumprod) => {
    const abar = alphaCumprod === pureNoise ? 2 ** -24 : alphaCumprod;
    return Math.sqrt((1 - abar) / abar);
  });
}

/** All timesteps of a schedule, and their noise levels. */
interface Grid {
  readonly timesteps: readonly number[];
  /** In single precision, so that a level equals the end of the path where it should. */
  readonly sigmas: Float32Array;
}

function spacedGrid(
  trained: Float32Array,
  spacing: TimestepSpacing,
  config: SchedulerConfig,
  { num_inference_steps }: SolverOptions,
  { timesteps: kind, range = trained.length, logLinear = false }: SigmaPathKind,
): Grid {
  const exclusive = kind === 'exclusive';
  const span = { trained: trained.length, range, offset: config.steps_offset, exclusive };
  const spaced = spacedTimesteps(spacing, num_inference_steps, span);
  const timesteps = exclusive ? spaced.map(roundHalfToEven) : spaced;
  if (logLinear) {
    const levels = exponential(Math.max(...trained), Math.min(...trained), num_inference_steps + 1);
    return { timesteps, sigmas: Float32Array.from(levels.slice(0, -1)) };
  }
  return { timesteps, sigmas: Float32Array.from(timesteps, (t) => valueAt(trained, t)) };
}

export type Spread = (highest: number, lowest: number, count: number) => number[];

/** Returns the spread of the options, or else of the configuration; null if there is none. */
export function chosenSpread(config: SchedulerConfig, options: SolverOptions): Spread | null {
  if (options.use_karras_sigmas) return karras;
  if (options.solver === 'DPMSolverMultistepScheduler' && config.use_lu_lambdas === true) return lu;
  if (config.use_exponential_sigmas === true) return exponential;
  return config.use_beta_sigmas === true ? betaSpread : null;
}

/** Returns a grid with noise levels spread differently between the same ends, and the timesteps of these levels. */
function spreadGrid(
  trained: Float32Array,
  spread: Spread,
  spaced: Grid,
  config: SchedulerConfig,
  options: SolverOptions,
  kind: SigmaPathKind,
): Grid {
  const ends = kind.timesteps === 'exclusive' || kind.logLinear === true ? trained : spaced.sigmas;
  const { sigma_min: low, sigma_max: high } = kind.bounded === true ? config : {};
  const sigmas = spread(high ?? Math.max(...ends), low ?? Math.min(...ends), spaced.timesteps.length);
  const logSigmas = Float32Array.from(trained, Math.log);
  const timesteps = sigmas.map((sigma) => indexOfValue(logSigmas, Math.log(sigma)));
  // diffusers rounds integer timesteps of Karras and Lu sigmas, but truncates others, and for DPM-Solver also those of
  // cosine schedules.
  const cosine =
    options.solver === 'DPMSolverMultistepScheduler' && config.beta_schedule === 'squaredcos_cap_v2';
  const whole = (spread === karras || spread === lu) && !cosine ? roundHalfToEven : cutOff;
  return {
    timesteps: kind.timesteps === 'exclusive' ? timesteps.map(whole) : timesteps,
    sigmas: Float32Array.from(sigmas),
  };
}

/** Truncates; a rounding error of the logarithm must not cost a timestep. */
function cutOff(timestep: number): number {
  return Math.trunc(timestep + 1e-9);
}

/** Spreads as Karras et al. 2022, equation 5, with rho = 7. */
function karras(highest: number, lowest: number, count: number): number[] {
  const rho = 7;
  const from = highest ** (1 / rho);
  const to = lowest ** (1 / rho);
  return ramp(count).map((part) => (from + part * (to - from)) ** rho);
}

/** Spreads in equal ratios. */
function exponential(highest: number, lowest: number, count: number): number[] {
  return ramp(count).map((part) => Math.exp(Math.log(highest) + part * Math.log(lowest / highest)));
}

/** Spreads in equal distances of the logarithm (Lu et al. 2022a, section 3.1). */
function lu(highest: number, lowest: number, count: number): number[] {
  const from = Math.fround(Math.log(highest));
  const to = Math.fround(Math.log(lowest));
  return ramp(count).map((part) => Math.exp(from + part * (to - from)));
}

/** Spreads by the quantiles of a beta distribution, with many levels at both ends (Lee et al. 2024). */
function betaSpread(highest: number, lowest: number, count: number): number[] {
  return ramp(count).map((part) => lowest + betaQuantile(1 - part, 0.6) * (highest - lowest));
}

function ramp(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : i / (count - 1)));
}

function checkFalling({ timesteps, sigmas }: Grid, last: number, options: SolverOptions): void {
  const falling = sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1]);
  if (!falling || timesteps.some((t) => t < 0 || t > last)) throw crowdedSchedule(last, options);
}
