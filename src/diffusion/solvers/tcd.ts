import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { distilledStages } from './paths/distilled.js';
import { cleanEstimate, eps, sum, z } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { levelOf } from './paths/timesteps.js';

/**
 * Creates trajectory consistency sampling (Zheng et al. 2024, algorithm 4, "strategic stochastic sampling"): each stage
 * jumps along the trajectory to timestep s = (1 - gamma) t' and adds the noise from there to the next timestep t'. The
 * last stage jumps to timestep 0.
 */
export function createTcd(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const { gamma } = options;
  if (!(gamma >= 0 && gamma <= 1)) throw new SolverError('gamma', `must be from 0 to 1, not ${gamma}`);
  const stages = distilledStages(schedule, config, options);
  const rules = stages.map((stage, i): Rule => {
    const next = stages[i + 1];
    // Single precision as in diffusers: it decides to which timestep the product is rounded down.
    const s = Math.floor(Math.fround(Math.fround(1 - gamma) * (next?.timestep ?? 0)));
    const alphaCumprod = schedule.alphasCumprod[s];
    const { a, b } = levelOf(alphaCumprod);
    const jump = sum([a, cleanEstimate(stage)], [b, eps]);
    if (next === undefined) return { next: jump };
    const ratio = schedule.alphasCumprod[next.timestep] / alphaCumprod;
    return { next: sum([Math.sqrt(ratio), jump], [Math.sqrt(1 - ratio), z]) };
  });
  return linearSolver(stages, 1, rules);
}
