import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { quantity, sum, x, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { discreteLevels } from './paths/discrete.js';

/** The sample of the stage before. */
const before = quantity('before');

/**
 * Creates BDIA-DDIM (Zhang et al. 2024): each step goes on from the sample before by the same prediction, forwards and
 * backwards, and so integrates over both intervals. With gamma 0 it is DDIM.
 */
export function createBdia(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const { bdia_gamma: gamma = 0.5 } = options;
  if (!(gamma >= 0 && gamma <= 1)) throw new SolverError('bdia_gamma', `must be from 0 to 1, not ${gamma}`);
  const { stages, end } = discreteLevels(schedule, config, options);
  const bound = boundOf(config, { clip: true, threshold: true });
  const rules = stages.map((stage, i): Rule => {
    const { clean, eps } = outputsOf(stage, bound);
    const moveTo = ({ a, b }: Pick<Stage, 'a' | 'b'>): Form => sum([a, clean], [b, eps]);
    const ahead = moveTo(stages[i + 1] ?? end);
    const next = i === 0 ? ahead : sum([1, ahead], [gamma, before], [-gamma, moveTo(stages[i - 1])]);
    return { next, memory: { before: x }, startSlot: 'before' };
  });
  return linearSolver(stages, 1, rules, bound);
}
