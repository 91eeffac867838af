import { describe, it } from 'node:test';
import { createSolver, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import { assertClose } from '../../support/compare.js';
import { defaultOptions, stableDiffusion } from './solver-settings.js';

/** Runs a solver with a prediction that bends; returns all samples. */
function run(options: Partial<SolverOptions>, length = 2): readonly number[] {
  const solver = createSolver(stableDiffusion, { ...defaultOptions, num_inference_steps: 8, ...options });
  const history = solver.createHistory(length);
  const sample = Float64Array.of(0.7, -1.2);
  return solver.stages.flatMap(({ inputScale }, stage) => {
    const eps = sample.map((value, i) => Math.tanh(value * inputScale + i));
    solver.step({ stage, sample, eps, noise: eps, history, out: sample });
    return Array.from(sample);
  });
}

describe('momentum', () => {
  it('with a share of 1 is none: all methods are the same multistep, whose first order is DDIM', () => {
    const ddim = run({ solver: 'DDIMScheduler' });
    const methods = ['GHVBScheduler', 'PLMSWithHBScheduler', 'PLMSWithNTScheduler'] as const;
    for (const solver_order of [1, 2, 3, 4] as const) {
      const [first, ...others] = methods.map((solver) => run({ solver, solver_order, momentum_beta: 1 }));
      for (const other of others) assertClose(other, first, 1e-6, `order ${solver_order}`);
      // DDIM ends without noise, the others at that of timestep 0.
      if (solver_order === 1) assertClose(first.slice(0, 14), ddim.slice(0, 14), 1e-6, 'DDIM');
    }
  });

  it('of first order is the same for heavy ball and its generalisation', () => {
    const [general, plain] = (['GHVBScheduler', 'PLMSWithHBScheduler'] as const).map((solver) =>
      run({ solver, solver_order: 1, momentum_beta: 0.4 }),
    );
    assertClose(general, plain, 1e-6, 'samples');
  });
});
