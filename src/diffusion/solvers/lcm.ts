import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { distilledStages } from './paths/distilled.js';
import { boundOf, outputsOf, type Bound } from './linear/bounds.js';
import { sum, x, z, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import type { SolverOptions } from '../solver-options.js';

/** Standard deviation of the data, for the boundary scaling. */
const sigmaData = 0.5;

/**
 * Creates latent consistency sampling (Luo et al. 2023, algorithm 3): each stage estimates x0 by the consistency
 * function Phi and, except the last, adds noise for the next stage.
 */
export function createLcm(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const stages = distilledStages(schedule, config, options);
  const { boundaryScaling = true, do_add_noise } = options;
  const bound = boundOf(config, { clip: true, threshold: true });
  const scaling = boundaryScaling ? (config.timestep_scaling ?? 10) : null;
  const rules = stages.map((stage, i): Rule => {
    const phi = consistencyFunction(stage, scaling, bound);
    const next = stages[i + 1];
    return { next: next === undefined ? phi : sum([next.a, phi], [do_add_noise ? next.b : 0, z]) };
  });
  return linearSolver(stages, 1, rules, bound);
}

/** Returns Phi = c_out x0 + c_skip x, which is x at timestep 0 (Song et al. 2023, equation 5). */
function consistencyFunction(stage: Stage, timestepScaling: number | null, bound: Bound | null): Form {
  const { clean } = outputsOf(stage, bound);
  if (timestepScaling === null) return clean;
  const { cSkip, cOut } = boundaryScaling(stage.timestep * timestepScaling);
  return sum([cOut, clean], [cSkip, x]);
}

/** Returns the weights of x and x0 at a scaled timestep (Song et al. 2023, appendix C). */
export function boundaryScaling(scaled: number): { readonly cSkip: number; readonly cOut: number } {
  return {
    cSkip: sigmaData ** 2 / (scaled ** 2 + sigmaData ** 2),
    cOut: scaled / Math.sqrt(scaled ** 2 + sigmaData ** 2),
  };
}
