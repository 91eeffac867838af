import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createSolver, SolverError, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import { blankStatistics, type ModelStatistics } from '../../../src/diffusion/statistics.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { defaultOptions, stableDiffusion } from './solver-settings.js';

const length = 3;
const intervals = 60;

/** Statistics that bend, and differ from element to element if there are several. */
function statisticsOf(elements: number, shift = 0): ModelStatistics {
  const values = (level: number, size: number): Float64Array =>
    Float64Array.from({ length: (intervals + 1) * elements }, (_, i) => {
      return level + size * Math.sin(Math.floor(i / elements) / 9 + shift * (i % elements));
    });
  return { elements, l: values(0.8, 0.2), s: values(0, 0.4), b: values(0.1, 0.3) };
}

function create(statistics: ModelStatistics, options: Partial<SolverOptions> = {}): Solver {
  return createSolver(
    { ...stableDiffusion, statistics },
    { ...defaultOptions, solver: 'DPMSolverV3Scheduler', num_inference_steps: 8, ...options },
  );
}

function run(solver: Solver): Float64Array {
  const history = solver.createHistory(length);
  const sample = Float64Array.of(0.7, -1.2, 0.4);
  for (const stage of solver.stages.keys()) {
    const eps = sample.map((value, i) => Math.tanh(value + i));
    solver.step({ stage, sample, eps, noise: eps, history, out: sample });
  }
  return sample;
}

describe('DPM-Solver-v3', () => {
  it('takes statistics for each element: equal ones give what pooled ones give', () => {
    const together = run(create(statisticsOf(1)));
    assertClose(run(create(statisticsOf(length))), together, 1e-6, 'equal statistics');
    const apart = run(create(statisticsOf(length, 1)));
    // The first element has the same statistics, the others have not.
    assertClose(apart.slice(0, 1), together.slice(0, 1), 1e-6, 'first');
    assert.ok(Math.abs(apart[1] - together[1]) > 1e-3);
  });

  it('is DPM-Solver++ if the statistics say nothing', () => {
    const blank = run(create(blankStatistics(statisticsOf(1)), { use_corrector: false, solver_order: 1 }));
    const statistics = blankStatistics(statisticsOf(length));
    assertClose(run(create(statistics, { use_corrector: false, solver_order: 1 })), blank, 1e-6, 'elements');
    assert.ok(run(create(statisticsOf(1))).some((value, i) => Math.abs(value - blank[i]) > 1e-2));
  });

  it('refuses latents of another size, and more steps than its statistics tell apart', () => {
    const solver = create(statisticsOf(2));
    assert.throws(() => run(solver), /for 2 elements, not 3/);
    assert.throws(
      () => create(statisticsOf(1), { num_inference_steps: 50 }),
      (error) => error instanceof SolverError && /60 intervals; 50 does not/.test(error.message),
    );
  });
});
