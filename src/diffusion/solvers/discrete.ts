import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { SolverOptions } from './options.js';
import { checkTimesteps, roundHalfToEven, selectPositions, spacedTimesteps } from './timesteps.js';

/** A way down the training timesteps (DDIM, PNDM). */
export interface DiscretePath {
  readonly timesteps: readonly number[];
  /**
   * Timesteps between one step and the next if the path is the schedule itself, for there diffusers steps by
   * this number, whatever the timestep that comes next. null: from each timestep to the next.
   */
  readonly stride: number | null;
  /** abar at the end of the path. */
  readonly finalAlphaCumprod: number;
}

/** @param alphaToOne the default of `set_alpha_to_one`. */
export function discretePath(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
  alphaToOne: boolean,
): DiscretePath {
  const trained = schedule.alphasCumprod.length;
  const { positions, untilEnd } = selectPositions(options, trained);
  const spacing = options.timestepSpacing ?? config.timestep_spacing ?? 'leading';
  const grid = spacedTimesteps(spacing, options.numInferenceSteps, {
    trained,
    offset: config.steps_offset,
  }).map(roundHalfToEven);
  checkTimesteps(grid, schedule, options);
  return {
    timesteps: positions.map((position) => grid[position]),
    stride: untilEnd ? Math.floor(trained / options.numInferenceSteps) : null,
    finalAlphaCumprod: (config.set_alpha_to_one ?? alphaToOne) ? 1 : schedule.alphasCumprod[0],
  };
}

/** abar where the step from the path's timestep of this index leads. */
export function nextAlphaCumprod(schedule: NoiseSchedule, path: DiscretePath, index: number): number {
  const { timesteps, stride, finalAlphaCumprod } = path;
  const next = stride === null ? (timesteps[index + 1] ?? -1) : timesteps[index] - stride;
  return next < 0 ? finalAlphaCumprod : schedule.alphasCumprod[next];
}
