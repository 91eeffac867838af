import type { NoiseSchedule, SchedulerConfig } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';
import { selectPositions, stageAt } from './timesteps.js';

/**
 * Returns the stages for models distilled on a coarse grid (LCM, TCD): a schedule of N steps takes the positions
 * floor(n j / N), j = 0..N-1, of the descending grid of n = `original_inference_steps` timesteps.
 */
export function distilledStages(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Stage[] {
  const trained = schedule.alphasCumprod.length;
  const originalSteps = config.original_inference_steps ?? 50;
  if (originalSteps < 1 || originalSteps > trained) {
    throw new SolverError(
      'solver',
      `needs original_inference_steps from 1 to ${trained} in the model's scheduler configuration, not ${originalSteps}`,
    );
  }
  const stride = Math.floor(trained / originalSteps);
  const { positions } = selectPositions(options, originalSteps);
  return positions.map((j) => {
    const position = Math.floor((originalSteps * j) / options.num_inference_steps);
    return stageAt(schedule, (originalSteps - position) * stride - 1);
  });
}
