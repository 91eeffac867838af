import type { NoiseSchedule, TimestepSpacing } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';

/** The part of a schedule that is run. */
export interface Selection {
  /** Positions in the schedule, ascending. */
  readonly positions: readonly number[];
  /** Whether this is the schedule itself, entered at its start or later, and not a custom list. */
  readonly untilEnd: boolean;
}

/** @throws {SolverError} if the step count or a position is out of range, or positions do not ascend. */
export function selectPositions(options: SolverOptions, maximumSteps: number): Selection {
  const { num_inference_steps: steps, t_index_list } = options;
  if (!Number.isInteger(steps) || steps < 1 || steps > maximumSteps) {
    throw new SolverError(
      'num_inference_steps',
      `must be a whole number from 1 to ${maximumSteps} for ${options.solver}, not ${steps}`,
    );
  }
  if (t_index_list === null) return { positions: Array.from({ length: steps }, (_, i) => i), untilEnd: true };
  if (t_index_list.length === 0) throw new SolverError('t_index_list', 'must contain at least one position');
  for (const [i, position] of t_index_list.entries()) {
    if (!Number.isInteger(position) || position < 0 || position >= steps) {
      throw new SolverError(
        't_index_list',
        `must contain whole numbers from 0 to ${steps - 1} (num_inference_steps - 1), not ${position}`,
      );
    }
    if (i > 0 && position <= t_index_list[i - 1]) {
      throw new SolverError('t_index_list', `must rise, but ${position} follows ${t_index_list[i - 1]}`);
    }
  }
  return { positions: [...t_index_list], untilEnd: steps - t_index_list[0] === t_index_list.length };
}

/** The range that timesteps are spread over. */
export interface Span {
  /** Number of training timesteps. */
  readonly trained: number;
  /** Highest training timestep that is used, plus 1. Default: all. */
  readonly range?: number;
  /** Added to `leading` timesteps (diffusers: `steps_offset`). */
  readonly offset?: number | undefined;
  /** Whether linspace and leading stop one step short of their end. */
  readonly exclusive?: boolean;
}

/** Returns `count` descending timesteps, spread as in diffusers (that is, numpy; Lin et al. 2023, table 2). */
export function spacedTimesteps(spacing: TimestepSpacing, count: number, span: Span): number[] {
  const { trained, range = trained, offset = 0, exclusive = false } = span;
  const last = exclusive ? count : count - 1;
  const down = Array.from({ length: count }, (_, i) => last - i);
  switch (spacing) {
    case 'linspace':
      return last === 0 ? [0] : down.map((i) => (i === last ? range - 1 : i * ((range - 1) / last)));
    case 'leading': {
      const stride = Math.floor(range / (last + 1));
      return down.map((i) => i * stride + offset);
    }
    case 'trailing': {
      // Rounded as numpy does: the difference of the first two timesteps.
      const stride = range - (range - trained / count);
      return down.map((_, i) => roundHalfToEven(range - i * stride) - 1);
    }
  }
}

/** Rounds as numpy does: ties to even. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** @throws {SolverError} if timesteps do not descend, or are not training timesteps. */
export function checkTimesteps(
  timesteps: readonly number[],
  schedule: NoiseSchedule,
  options: SolverOptions,
): void {
  const last = schedule.alphasCumprod.length - 1;
  const falling = timesteps.every((t, i) => i === 0 || t < timesteps[i - 1]);
  if (!falling || timesteps.some((t) => t < 0 || t > last)) throw crowdedSchedule(last, options);
}

/** Creates the error for a schedule with too many steps for the training timesteps, of which `first` is the lowest. */
export function crowdedSchedule(
  last: number,
  { solver, num_inference_steps }: SolverOptions,
  first = 0,
): SolverError {
  return new SolverError(
    'num_inference_steps',
    `must give distinct timesteps from ${first} to ${last} with ${solver} and its spacing, which ${num_inference_steps} does not`,
  );
}

/** Returns the stage at a training timestep, for solvers with variance-preserving samples. */
export function stageAt(schedule: NoiseSchedule, timestep: number): Stage {
  return { timestep, ...levelOf(schedule.alphasCumprod[timestep]), inputScale: 1 };
}

/** Returns a = sqrt(abar) and b = sqrt(1 - abar). */
export function levelOf(alphaCumprod: number): { readonly a: number; readonly b: number } {
  return { a: Math.sqrt(alphaCumprod), b: Math.sqrt(1 - alphaCumprod) };
}
