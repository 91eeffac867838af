import type { NoiseSchedule, SchedulerConfig } from '../../schedule.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';
import { crowdedSchedule, selectPositions } from './timesteps.js';

/** A window of time, which runs from 1 (noise) down to 0. */
export interface Window {
  readonly start: number;
  readonly end: number;
}

/** A sequence of descending timesteps, each in a window of time (PeRFlow). */
export interface WindowPath {
  /** From 1 to the number of training timesteps. */
  readonly timesteps: readonly number[];
  /** The timesteps as times, and 0 at the end of the path. */
  readonly times: readonly number[];
  /** The window of each timestep; one on the edge of two belongs to the later, with less noise. */
  readonly windows: readonly Window[];
}

/**
 * Returns the path of PeRFlow's scheduler: equal windows, and equal steps in each; the first windows have one step more
 * if there are some over.
 * @throws {SolverError} if the steps or positions are out of range, or timesteps do not descend.
 */
export function windowPath(
  { alphasCumprod: { length: trained } }: NoiseSchedule,
  { num_time_windows: count = 4 }: SchedulerConfig,
  options: SolverOptions,
): WindowPath {
  const { positions } = selectPositions(options, trained);
  const { num_inference_steps: steps } = options;
  if (steps < count) {
    throw new SolverError(
      'num_inference_steps',
      `must be a whole number from ${count}, the time windows of the model, to ${trained}, not ${steps}`,
    );
  }
  const all = Array.from({ length: count }, (_, i): Window => ({
    start: (count - i) / count,
    end: (count - i - 1) / count,
  }));
  const grid = all.flatMap(({ start, end }, i) => {
    const own = Math.floor(steps / count) + (i < steps % count ? 1 : 0);
    return Array.from({ length: own }, (_, k) => Math.trunc((start + k * ((end - start) / own)) * trained));
  });
  const falling = grid.every((timestep, i) => timestep > 0 && (i === 0 || timestep < grid[i - 1]));
  if (!falling) throw crowdedSchedule(trained, options, 1);
  const timesteps = positions.map((position) => grid[position]);
  // A tenth of a timestep, against rounding.
  const windowOf = (timestep: number): Window =>
    all.find(({ end }) => timestep - 0.1 > end * trained) ?? all[count - 1];
  return {
    timesteps,
    times: [...timesteps.map((timestep) => timestep / trained), 0],
    windows: timesteps.map(windowOf),
  };
}
