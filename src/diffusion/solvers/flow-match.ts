import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { cleanEstimate, eps, quantity, sum, x, z, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { flowPath, flowStages } from './paths/flow.js';
import { chosenSpread } from './paths/sigmas.js';

// Samples are x = (1 - sigma) x0 + sigma z, so dx/dsigma = v = z - x0 (Lipman et al. 2023; Liu et al. 2023).

/**
 * Creates Euler's method for flow matching, which is also the sampling of InstaFlow and rectified flow. With `eta`, a
 * part of the noise at the next level is new: at 1 all of it (diffusers: `stochastic_sampling`).
 */
export function createFlowEuler(_: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const { eta } = options;
  if (!(eta >= 0 && eta <= 1)) throw new SolverError('eta', `must be from 0 to 1, not ${eta}`);
  const path = flowPath(config, options, chosenSpread(config, options));
  const stages = flowStages(path);
  const rules = stages.map((stage, i): Rule => {
    const to = path.sigmas[i + 1];
    return {
      next: sum([1 - to, cleanEstimate(stage)], [to * Math.sqrt(1 - eta ** 2), eps], [to * eta, z]),
    };
  });
  return linearSolver(stages, 1, rules);
}

/**
 * Creates Heun's method for flow matching: an Euler step, then the same step again with the mean of the velocities at
 * both ends. It has two stages per timestep; the last timestep has one, an Euler step to sigma 0.
 */
export function createFlowHeun(_: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const path = flowPath(config, options);
  const levels = flowStages(path);
  const [start, slope] = [quantity('start'), quantity('slope')];
  const stages: Stage[] = [];
  const rules: Rule[] = [];
  for (const [i, level] of levels.entries()) {
    const change = path.sigmas[i + 1] - path.sigmas[i];
    stages.push(level);
    rules.push({
      next: sum([1, x], [change, velocity(level)]),
      memory: { start: x, slope: velocity(level) },
    });
    const next = levels[i + 1];
    if (next === undefined) break;
    stages.push(next);
    rules.push({ next: sum([1, start], [change / 2, slope], [change / 2, velocity(next)]) });
  }
  return linearSolver(stages, 1, rules);
}

/** Returns v = z - x0 = (z - x) / a. */
function velocity({ a }: Stage): Form {
  return sum([1 / a, eps], [-1 / a, x]);
}
