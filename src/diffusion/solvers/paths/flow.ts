import type { SchedulerConfig } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';
import type { Spread } from './sigmas.js';
import { crowdedSchedule, selectPositions } from './timesteps.js';

/** A sequence of descending noise levels of flow matching: samples are (1 - sigma) x0 + sigma z. */
export interface FlowPath {
  /** sigma times the number of training timesteps, which need not be whole. */
  readonly timesteps: readonly number[];
  /** Descending; one for each timestep, and 0 at the end of the path. */
  readonly sigmas: readonly number[];
}

/**
 * The signal at sigma 1, instead of 0: with none, the velocity (z - x) / a could not be told from the noise z. Half of
 * the digits of double precision are left for it.
 */
const leastSignal = 2 ** -26;

/**
 * Returns the path of FlowMatchEulerDiscreteScheduler of diffusers; `trailing` has the even noise levels that its
 * pipelines and InstaFlow give it, and `leading` the same one step further.
 * @param spread how levels are spread instead between the first and the last, if at all.
 * @throws {SolverError} if the steps or positions are out of range, or noise levels do not descend.
 */
export function flowPath(
  config: SchedulerConfig,
  options: SolverOptions,
  spread: Spread | null = null,
): FlowPath {
  if (config.invert_sigmas === true) {
    throw new SolverError('solver', "does not support invert_sigmas of the model's scheduler configuration");
  }
  const { num_train_timesteps: trained = 1000, shift_terminal: terminal } = config;
  const { positions } = selectPositions(options, trained);
  const shifted = stretched(
    evenLevels(config, options, trained).map((sigma) => shiftTowardsNoise(sigma, shiftOf(config, options))),
    terminal ?? null,
  );
  const levels = spread === null ? shifted : spread(shifted[0], lastOf(shifted), shifted.length);
  // Against rounding.
  const grid = levels.map((sigma) => Math.min(sigma, 1));
  const falling = grid.every((sigma, i) => sigma > 0 && (i === 0 || sigma < grid[i - 1]));
  if (!falling) throw crowdedSchedule(trained, options, 1);
  const sigmas = positions.map((position) => Math.min(grid[position], 1 - leastSignal));
  return { timesteps: positions.map((position) => grid[position] * trained), sigmas: [...sigmas, 0] };
}

/** Returns the stages of a path; its end has none. */
export function flowStages({ timesteps, sigmas }: FlowPath): Stage[] {
  return timesteps.map((timestep, i) => ({ timestep, a: 1 - sigmas[i], b: sigmas[i], inputScale: 1 }));
}

/** Returns the noise levels before they are shifted. */
function evenLevels(config: SchedulerConfig, options: SolverOptions, trained: number): number[] {
  const { num_inference_steps: count } = options;
  const steps = Array.from({ length: count }, (_, i) => i);
  switch (options.timestep_spacing ?? config.timestep_spacing ?? 'linspace') {
    case 'trailing':
      return steps.map((i) => 1 - i / count);
    case 'leading':
      return steps.map((i) => (count - 1 - i) / count + 1 / trained);
    case 'linspace': {
      // The class has shifted the lowest level of the training before it spreads and shifts all levels.
      const isDynamic = config.use_dynamic_shifting === true && !options.flow_shift;
      const lowest = isDynamic ? 1 / trained : shiftTowardsNoise(1 / trained, shiftOf(config, options));
      return steps.map((i) => (count === 1 ? 1 : 1 + ((lowest - 1) * i) / (count - 1)));
    }
  }
}

/**
 * Returns the noise level that a shift k makes of one: k sigma / (1 + (k - 1) sigma) (Esser et al. 2024, equation 23),
 * in a form that keeps 1.
 */
function shiftTowardsNoise(sigma: number, shift: number): number {
  return shift / (shift + (1 / sigma - 1));
}

/** Below this, a shift moves almost all levels next to 0. */
const leastShift = 0.1;

/** @throws {SolverError} if the chosen shift is neither 0 nor large enough. */
function shiftOf(
  config: SchedulerConfig,
  { flow_shift: chosen = 0, latentArea = 4096 }: SolverOptions,
): number {
  if (chosen !== 0 && !(chosen >= leastShift)) {
    throw new SolverError(
      'flow_shift',
      `must be 0, for that of the model, or at least ${leastShift}, not ${chosen}`,
    );
  }
  if (chosen > 0) return chosen;
  if (config.use_dynamic_shifting !== true) return config.shift ?? 1;
  const { base_shift: base = 0.5, max_shift: most = 1.15 } = config;
  const { base_image_seq_len: from = 256, max_image_seq_len: to = 4096 } = config;
  const mu = base + ((most - base) * (latentArea / 4 - from)) / (to - from);
  return config.time_shift_type === 'linear' ? mu : Math.exp(mu);
}

/** Stretches levels from 1, so that the last is `terminal`; null leaves them as they are. */
function stretched(sigmas: readonly number[], terminal: number | null): readonly number[] {
  const rest = 1 - lastOf(sigmas);
  if (!terminal || rest === 0) return sigmas;
  return sigmas.map((sigma) => 1 - ((1 - sigma) * (1 - terminal)) / rest);
}

function lastOf(sigmas: readonly number[]): number {
  return sigmas.at(-1) ?? 0;
}
