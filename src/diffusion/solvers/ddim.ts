import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { discretePath, nextAlphaCumprod } from './paths/discrete.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { eps, sum, z } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { stageAt } from './paths/timesteps.js';

/** Creates DDIM (Song et al. 2021, equation 12, with sigma from equation 16). */
export function createDdim(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const { eta } = options;
  if (!(eta >= 0 && eta <= 1)) throw new SolverError('eta', `must be from 0 to 1, not ${eta}`);
  const path = discretePath(schedule, config, options, true);
  const stages = path.timesteps.map((timestep) => stageAt(schedule, timestep));
  const bound = boundOf(config, { clip: true, threshold: true });
  const rules = path.timesteps.map((timestep, i): Rule => {
    const from = schedule.alphasCumprod[timestep];
    const to = nextAlphaCumprod(schedule, path, i);
    const variance = eta ** 2 * ((1 - to) / (1 - from)) * (1 - from / to);
    const direction = Math.sqrt(Math.max(0, 1 - to - variance));
    return {
      // The direction uses the predicted noise, even if the clean estimate is bounded.
      next: sum(
        [Math.sqrt(to), outputsOf(stages[i], bound).clean],
        [direction, eps],
        [Math.sqrt(variance), z],
      ),
    };
  });
  return linearSolver(stages, 1, rules, bound);
}
