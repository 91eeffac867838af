import type { NoiseSchedule, SchedulerConfig } from '../../schedule.js';
import type { Stage } from '../../types.js';
import type { SolverOptions } from '../../solver-options.js';
import {
  checkTimesteps,
  levelOf,
  roundHalfToEven,
  selectPositions,
  spacedTimesteps,
  stageAt,
} from './timesteps.js';

/** A sequence of descending training timesteps (DDIM, PNDM). */
export interface DiscretePath {
  readonly timesteps: readonly number[];
  /**
   * Length of each step in timesteps if the path is the schedule itself: diffusers then steps by this number, whatever
   * the next timestep is. null: from each timestep to the next.
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
  const spacing = options.timestep_spacing ?? config.timestep_spacing ?? 'leading';
  const grid = spacedTimesteps(spacing, options.num_inference_steps, {
    trained,
    offset: config.steps_offset,
  }).map(roundHalfToEven);
  checkTimesteps(grid, schedule, options);
  return {
    timesteps: positions.map((position) => grid[position]),
    stride: untilEnd ? Math.floor(trained / options.num_inference_steps) : null,
    finalAlphaCumprod: (config.set_alpha_to_one ?? alphaToOne) ? 1 : schedule.alphasCumprod[0],
  };
}

/** Returns abar at the end of the step from the path's timestep at this index. */
export function nextAlphaCumprod(schedule: NoiseSchedule, path: DiscretePath, index: number): number {
  const { timesteps, stride, finalAlphaCumprod } = path;
  const next = stride === null ? (timesteps[index + 1] ?? -1) : timesteps[index] - stride;
  return next < 0 ? finalAlphaCumprod : schedule.alphasCumprod[next];
}

/** Returns the stages of such a path, and the level at its end: each step leads to the level of the next stage. */
export function discreteLevels(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): { readonly stages: readonly Stage[]; readonly end: { readonly a: number; readonly b: number } } {
  const { timesteps, finalAlphaCumprod } = discretePath(schedule, config, options, false);
  return {
    stages: timesteps.map((timestep) => stageAt(schedule, timestep)),
    end: levelOf(finalAlphaCumprod),
  };
}
