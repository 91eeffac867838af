import assert from 'node:assert/strict';
import { createSolver, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import { followSolver, usualOptions, type SamplerRun } from '../../support/sampler-table.js';

interface Parameters {
  readonly solver: 'ode' | 'sde';
  readonly order: 1 | 2 | 3;
  readonly parameterization: 'data' | 'noise';
  readonly max_sigma: number;
  readonly T: number;
  readonly schedule: 'cosine';
  readonly eps: number;
}

/** Follows MR-Sampler, with the mean of its table. */
export function followMeanReverting(run: SamplerRun): void {
  const {
    solver: kind,
    order,
    parameterization,
    max_sigma,
    T,
    eps,
    ...rest
  } = run.table.parameters as unknown as Parameters;
  assert.equal(rest.schedule, 'cosine');
  const base = parameterization === 'data' ? 'dpmsolver++' : 'dpmsolver';
  const algorithm_type: SolverOptions['algorithm_type'] = kind === 'sde' ? `sde-${base}` : base;
  const options = usualOptions('DPMSolverMultistepScheduler', run.steps);
  const config = { mean_reverting: { max_sigma, T, eps } };
  const solver = createSolver(config, { ...options, algorithm_type, solver_order: order });
  for (const name of ['a', 'b'] as const) {
    run.compare(
      solver.stages.map((stage) => stage[name]),
      run.tensor(name).slice(0, -1),
      name,
    );
  }
  run.compare([solver.initNoiseSigma], [run.info['max_sigma'] as number], 'noise at the start');
  followSolver(solver, run, undefined, { mean: run.tensor('mu') });
}
