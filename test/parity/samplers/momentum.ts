import { createNoiseSchedule, type SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver, type SolverName, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import { initNoiseSigma } from '../../../src/diffusion/solvers/euler.js';
import { momentumSolver, type MomentumMethod } from '../../../src/diffusion/solvers/momentum.js';
import { sigmaPath, sigmaStages } from '../../../src/diffusion/solvers/paths/sigmas.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { followSolver, usualOptions, type SamplerRun } from '../../support/sampler-table.js';

interface Parameters {
  readonly method: MomentumMethod;
  readonly order: 1 | 2 | 3 | 4;
  readonly beta: number;
  /** The path: of DDIM if absent. */
  readonly base?: 'dpm' | 'euler';
}

const solverNames: Readonly<Record<MomentumMethod, SolverName>> = {
  hb: 'PLMSWithHBScheduler',
  nt: 'PLMSWithNTScheduler',
  ghvb: 'GHVBScheduler',
};

function optionsOf(run: SamplerRun, solver: SolverName): SolverOptions {
  const { order, beta } = run.table.parameters as unknown as Parameters;
  return { ...usualOptions(solver, run.steps), solver_order: order, momentum_beta: beta };
}

/** Follows multistep with momentum on the path of its table. */
export function followMomentum(run: SamplerRun): void {
  const { method } = run.table.parameters as unknown as Parameters;
  followSolver(solverOf(run), run, (step, history) => {
    const velocity = method === 'ghvb' ? history['m1'] : history['velocity'];
    run.compare(velocity as Float32Array, run.entry('velocity', step), `velocity ${step}`);
  });
}

function solverOf(run: SamplerRun): Solver {
  const { method, order, beta, base } = run.table.parameters as unknown as Parameters;
  const options = optionsOf(run, solverNames[method]);
  const config: SchedulerConfig = { ...run.table.schedule, steps_offset: 1 };
  if (base === undefined) return createSolver(config, options);
  if (base === 'dpm') return createSolver(config, { ...options, timestep_spacing: 'linspace' });
  // Users reach the path of Euler with Karras sigmas; this one is without.
  const kind = { timesteps: 'inclusive', end: 'zero' } as const;
  const path = sigmaPath(createNoiseSchedule(config), config, options, kind);
  return momentumSolver(
    { stages: sigmaStages(path, 'exploding'), sigmas: path.sigmas, initNoiseSigma: initNoiseSigma(path) },
    method,
    order,
    beta,
  );
}

/** Returns what follows one of the solvers of diffusers with momentum, which end at timestep 0. */
export function followWithMomentum(solver: SolverName) {
  return (run: SamplerRun): void => {
    const config = { ...run.table.schedule, final_sigmas_type: 'sigma_min' } as const;
    followSolver(createSolver(config, optionsOf(run, solver)), run);
  };
}
