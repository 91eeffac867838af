import { createNoiseSchedule, type NoiseSchedule, type SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { createLcm } from './lcm.js';
import { SolverError, type SolverName, type SolverOptions } from './options.js';

export { SolverError, type SolverName, type SolverOptions } from './options.js';

type Family = (schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions) => Solver;

const families: Partial<Readonly<Record<SolverName, Family>>> = {
  LCMScheduler: createLcm,
};

/**
 * Makes a solver for a model: all coefficients are worked out here, and a step only applies them.
 * @param config the model's scheduler_config.json.
 * @throws {SolverError} if the options, or they with the model's configuration, make no solver.
 */
export function createSolver(config: SchedulerConfig, options: SolverOptions): Solver {
  const family = families[options.name];
  if (family === undefined) throw new SolverError('solver', `${options.name} is not known`);
  return family(createNoiseSchedule(config), config, options);
}
