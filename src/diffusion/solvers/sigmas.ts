import type { NoiseSchedule, SchedulerConfig, TimestepSpacing } from '../schedule.js';
import type { Stage } from '../types.js';
import { SolverError, type SolverOptions } from './options.js';
import { roundHalfToEven, selectPositions, spacedTimesteps } from './timesteps.js';

/** A way down noise levels sigma = b / a, of samples x0 + sigma z. */
export interface SigmaPath {
  readonly spacing: TimestepSpacing;
  readonly timesteps: readonly number[];
  /** Falling; one for each timestep, and that at the end of the path. */
  readonly sigmas: readonly number[];
  /** Length of the schedule that the path is (the end of). */
  readonly steps: number;
}

/** How a family of solvers lays its path. */
export interface SigmaPathKind {
  /**
   * `inclusive` (Euler and kin): timesteps reach down to the lowest and may be fractional; Karras sigmas span
   * those of the timesteps. `exclusive` (DPM-Solver and kin): timesteps are whole and stop one step short;
   * Karras sigmas span those of the training.
   */
  readonly timesteps: 'inclusive' | 'exclusive';
  /** Noise at the end: none, that of timestep 0, or the last of the path where it is spread (Karras, exponential). */
  readonly end: 'zero' | 'sigma_min' | 'last';
  /** Whether `sigma_min` and `sigma_max` of the configuration bound spread sigmas. */
  readonly bounded?: boolean;
  /** Highest training timestep that is used, plus 1. */
  readonly range?: number;
}

/** @throws {SolverError} if the steps or positions are out of range or levels of noise do not fall. */
export function sigmaPath(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
  kind: SigmaPathKind,
): SigmaPath {
  const trained = trainingSigmas(schedule);
  const last = trained.length - 1;
  const { numInferenceSteps: count } = options;
  const { positions, untilEnd } = selectPositions(options, trained.length);
  const spacing = options.timestepSpacing ?? config.timestep_spacing ?? 'linspace';
  const exclusive = kind.timesteps === 'exclusive';

  let timesteps = spacedTimesteps(spacing, count, kind.range ?? trained.length, config, exclusive);
  if (exclusive || spacing !== 'linspace') timesteps = timesteps.map(roundHalfToEven);
  let sigmas = timesteps.map((t) => interpolate(trained, t));
  const spread = chosenSpread(config, options);
  if (spread !== null) {
    const lowest = exclusive ? trained[0] : sigmas[count - 1];
    const highest = exclusive ? trained[last] : sigmas[0];
    const { sigma_min: low, sigma_max: high } = kind.bounded === true ? config : {};
    sigmas = spread(high ?? highest, low ?? lowest, count);
    timesteps = sigmas.map((sigma) => timestepOf(trained, sigma));
    if (exclusive)
      timesteps = timesteps.map(
        spread === karras && roundsKarras(config, options) ? roundHalfToEven : Math.trunc,
      );
  }
  checkFalling(sigmas, timesteps, trained.length, options);

  const lowestSigma = kind.end === 'last' && spread !== null ? sigmas[count - 1] : trained[0];
  return {
    spacing,
    timesteps: positions.map((position) => timesteps[position]),
    sigmas: [...positions.map((position) => sigmas[position]), kind.end === 'zero' ? 0 : lowestSigma],
    steps: untilEnd ? count : positions.length,
  };
}

/** The noise levels of a path; at the end there is no call. */
export function sigmaStages(path: SigmaPath, coordinates: 'exploding' | 'preserving'): Stage[] {
  return path.timesteps.map((timestep, i) => {
    const { a, b } = levelOfSigma(path.sigmas[i]);
    return { timestep, a, b, inputScale: coordinates === 'exploding' ? a : 1 };
  });
}

/** a and b with sigma = b / a. */
export function levelOfSigma(sigma: number): { readonly a: number; readonly b: number } {
  const a = 1 / Math.sqrt(sigma ** 2 + 1);
  return { a, b: sigma * a };
}

/** sigma_t = b / a of every training timestep, rising. */
export function trainingSigmas(schedule: NoiseSchedule): Float64Array {
  return schedule.alphasCumprod.map((alphaCumprod) => Math.sqrt((1 - alphaCumprod) / alphaCumprod));
}

function interpolate(sigmas: Float64Array, timestep: number): number {
  const low = Math.min(Math.max(Math.floor(timestep), 0), sigmas.length - 1);
  const high = Math.min(low + 1, sigmas.length - 1);
  return sigmas[low] + (sigmas[high] - sigmas[low]) * (timestep - low);
}

type Spread = (highest: number, lowest: number, count: number) => number[];

function chosenSpread(config: SchedulerConfig, options: SolverOptions): Spread | null {
  if (options.useKarrasSigmas) return karras;
  return config.use_exponential_sigmas === true ? exponential : null;
}

/** Karras et al. 2022, equation 5, with rho = 7. */
function karras(highest: number, lowest: number, count: number): number[] {
  const rho = 7;
  const from = highest ** (1 / rho);
  const to = lowest ** (1 / rho);
  return ramp(count).map((part) => (from + part * (to - from)) ** rho);
}

/** Equal ratios from each to the next. */
function exponential(highest: number, lowest: number, count: number): number[] {
  return ramp(count).map((part) => Math.exp(Math.log(highest) + part * Math.log(lowest / highest)));
}

function ramp(count: number): number[] {
  return Array.from({ length: count }, (_, i) => (count === 1 ? 0 : i / (count - 1)));
}

/** The timestep, fractional, of this much noise: linear in the logarithm of sigma. */
function timestepOf(sigmas: Float64Array, sigma: number): number {
  const above = sigmas.findIndex((candidate) => candidate > sigma);
  const low = Math.min(Math.max((above < 0 ? sigmas.length : above) - 1, 0), sigmas.length - 2);
  const part = Math.log(sigma / sigmas[low]) / Math.log(sigmas[low + 1] / sigmas[low]);
  return low + Math.min(Math.max(part, 0), 1);
}

/** diffusers rounds the timesteps of Karras sigmas, but for DPM-Solver on a cosine schedule, where it cuts them off. */
function roundsKarras(config: SchedulerConfig, options: SolverOptions): boolean {
  return options.name !== 'DPMSolverMultistepScheduler' || config.beta_schedule !== 'squaredcos_cap_v2';
}

function checkFalling(
  sigmas: readonly number[],
  timesteps: readonly number[],
  trained: number,
  options: SolverOptions,
): void {
  const fall = sigmas.every((sigma, i) => i === 0 || sigma < sigmas[i - 1]);
  if (fall && timesteps.every((t) => t >= 0 && t <= trained - 1)) return;
  throw new SolverError(
    'num_inference_steps',
    `must leave distinct timesteps from 0 to ${trained - 1} with this solver and spacing, which ${options.numInferenceSteps} does not`,
  );
}
