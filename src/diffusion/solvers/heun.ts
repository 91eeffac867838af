import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { initNoiseSigma } from './euler.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { quantity, sum, x } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import type { SolverOptions } from '../solver-options.js';
import { sigmaPath, sigmaStages } from './paths/sigmas.js';

/**
 * Creates Heun's method (Karras et al. 2022, algorithm 1): an Euler step, then the same step again with the mean of the
 * slopes at both ends. It has two stages per timestep; the last timestep has one, an Euler step to sigma 0.
 */
export function createHeun(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const path = sigmaPath(schedule, config, options, { timesteps: 'inclusive', end: 'zero' });
  const bound = boundOf(config, { clip: true, threshold: false });
  const start = quantity('start');
  const slope = quantity('slope');
  const stages: Stage[] = [];
  const rules: Rule[] = [];
  const levels = sigmaStages(path, 'exploding');
  for (const [i, level] of levels.entries()) {
    const change = path.sigmas[i + 1] - path.sigmas[i];
    const { eps } = outputsOf(level, bound);
    stages.push(level);
    rules.push({ next: sum([1, x], [change, eps]), memory: { start: x, slope: eps } });
    const next = levels[i + 1];
    if (next === undefined) break;
    stages.push(next);
    const end = outputsOf(next, bound);
    rules.push({ next: sum([1, start], [change / 2, slope], [change / 2, end.eps]) });
  }
  return linearSolver(stages, initNoiseSigma(path), rules, bound);
}
