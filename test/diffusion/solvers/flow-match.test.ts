import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictedNoise } from '../../../src/diffusion/prediction.js';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver, SolverError, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import type { PredictionType, Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { defaultOptions } from './solver-settings.js';

function flow(options: Partial<SolverOptions>, config: SchedulerConfig = {}): Solver {
  return createSolver(
    { prediction_type: 'flow', ...config },
    { ...defaultOptions, solver: 'FlowMatchEulerDiscreteScheduler', num_inference_steps: 4, ...options },
  );
}

function levels(options: Partial<SolverOptions>, config: SchedulerConfig = {}): readonly number[] {
  return flow(options, config).stages.map(({ timestep }) => timestep / (config.num_train_timesteps ?? 1000));
}

/** Runs a solver from a sample on a velocity that is a function of the sample and the timestep. */
function run(
  solver: Solver,
  prediction: PredictionType,
  start: readonly number[],
  velocity: (x: number, timestep: number) => number,
  noise: readonly number[] = start.map(() => Number.NaN),
): Float32Array {
  const sample = Float32Array.from(start);
  const history = solver.createHistory(sample.length);
  const eps = new Float64Array(sample.length);
  for (const [i, stage] of solver.stages.entries()) {
    const output = sample.map((x) => velocity(x, stage.timestep));
    predictedNoise(prediction, stage, sample, output, eps);
    solver.step({ stage: i, sample, eps, noise: Float32Array.from(noise), history, out: sample });
  }
  return sample;
}

describe('flow matching', () => {
  it('has the noise levels of the class, of pipelines, and one step further', () => {
    assertClose(levels({}), [1, 0.667, 0.334, 0.001], 1e-9, 'linspace');
    assertClose(levels({ timestep_spacing: 'trailing' }), [1, 0.75, 0.5, 0.25], 1e-9, 'trailing');
    assertClose(levels({ timestep_spacing: 'leading' }), [0.751, 0.501, 0.251, 0.001], 1e-9, 'leading');
    assertClose(levels({}, { timestep_spacing: 'trailing' }), [1, 0.75, 0.5, 0.25], 1e-9, 'of the model');
    assert.deepEqual(levels({ num_inference_steps: 1 }), [1]);
    assert.equal(levels({ num_inference_steps: 200 }, { num_train_timesteps: 200 }).length, 200);
  });

  it('is shifted by the model, or as the user chooses', () => {
    const even = { timestep_spacing: 'trailing' } as const;
    const shifted = [1, 0.9, 0.75, 0.5];
    assertClose(levels(even, { shift: 3 }), shifted, 1e-9, 'of the model');
    assertClose(levels({ ...even, flow_shift: 3 }, { shift: 2 }), shifted, 1e-9, 'chosen');
    assertClose(levels({ ...even, flow_shift: 0 }, { shift: 3 }), shifted, 1e-9, 'not chosen');
    assertClose(
      levels({ ...even, flow_shift: 3 }, { use_dynamic_shifting: true }),
      shifted,
      1e-9,
      'chosen in place of one that depends on the size',
    );
  });

  it('is shifted more for larger pictures if the model says so', () => {
    const config = { use_dynamic_shifting: true, timestep_spacing: 'trailing' } as const;
    const shiftAt = (latentArea: number | null, more: SchedulerConfig = {}): number => {
      const [, sigma] = levels(latentArea === null ? {} : { latentArea }, { ...config, ...more });
      // From sigma = 0.75 k / (1 + 0.75 (k - 1)).
      return sigma / (3 * (1 - sigma));
    };
    assert.ok(Math.abs(shiftAt(4 * 256) - Math.exp(0.5)) < 1e-9);
    assert.ok(Math.abs(shiftAt(4 * 4096) - Math.exp(1.15)) < 1e-9);
    assert.equal(shiftAt(null), shiftAt(64 * 64));
    assert.ok(Math.abs(shiftAt(4 * 4096, { time_shift_type: 'linear' }) - 1.15) < 1e-9);
  });

  it('of a constant velocity ends exactly where it points, from pure noise, in any number of steps', () => {
    for (const solver of ['FlowMatchEulerDiscreteScheduler', 'FlowMatchHeunDiscreteScheduler'] as const) {
      for (const num_inference_steps of [1, 2, 5]) {
        const end = run(flow({ solver, num_inference_steps }), 'flow', [1, -2, 0.5], () => 0.75);
        assertClose(end, [0.25, -2.75, -0.25], 1e-6, `${solver}, ${num_inference_steps} steps`);
      }
    }
  });

  it('takes outputs that point to the image with the opposite sign', () => {
    const options = { num_inference_steps: 2 };
    const there = run(flow(options), 'flow', [1, -2], (x, t) => Math.tanh(x) + t / 1000);
    const back = run(
      flow(options, { prediction_type: 'reverse_flow' }),
      'reverse_flow',
      [1, -2],
      (x, t) => -Math.tanh(x) - t / 1000,
    );
    assertClose(back, there, 1e-6, 'result');
  });

  it('replaces as much of the noise between steps as eta says', () => {
    const even = { timestep_spacing: 'trailing', num_inference_steps: 2 } as const;
    const [clean, noise] = [0.4, -1.5];
    /** Returns the sample after the first step, to sigma 0.5, if the image is predicted exactly. */
    const after = (eta: number): number => {
      const solver = flow({ ...even, eta });
      assert.equal(solver.addsNoise, eta > 0);
      const out = new Float64Array(1);
      const { a, b } = solver.stages[0];
      const sample = Float64Array.of(a * clean + b);
      const eps = Float64Array.of(1);
      solver.step({ stage: 0, sample, eps, noise: Float64Array.of(noise), history: {}, out });
      return out[0];
    };
    assertClose([after(0)], [0.2 + 0.5], 1e-6, 'none');
    assertClose([after(1)], [0.2 + 0.5 * noise], 1e-6, 'all');
    assertClose([after(0.6)], [0.2 + 0.5 * (0.8 + 0.6 * noise)], 1e-6, 'a part');
  });

  it('stretches its levels to the last that the model has', () => {
    assertClose(levels({ num_inference_steps: 3 }, { shift_terminal: 0.4 }), [1, 0.7, 0.4], 1e-9, 'levels');
    assert.deepEqual(levels({ num_inference_steps: 1 }, { shift_terminal: 0.4 }), [1]);
  });

  it('refuses what it cannot do, and says what would fit', () => {
    const refuses = (
      field: string,
      message: RegExp,
      options: Partial<SolverOptions>,
      config: SchedulerConfig = {},
    ): void =>
      assert.throws(
        () => flow(options, config),
        (error) => error instanceof SolverError && error.field === field && message.test(error.message),
      );
    for (const wrong of [0.09, -1, Number.NaN]) {
      refuses('flow_shift', new RegExp(`0, for that of the model, or at least 0.1, not ${wrong}`), {
        flow_shift: wrong,
      });
    }
    flow({ flow_shift: 0.1 });
    for (const wrong of [-0.1, 1.1, Number.NaN]) refuses('eta', /0 to 1, not/, { eta: wrong });
    refuses('solver', /does not support invert_sigmas/, {}, { invert_sigmas: true });
    refuses(
      'num_inference_steps',
      /from 1 to 500 for FlowMatch\w+, not 501/,
      { num_inference_steps: 501 },
      {
        num_train_timesteps: 500,
      },
    );
    refuses(
      'solver',
      /one of LCMScheduler, .* with a model that predicts epsilon, not FlowMatchEuler/,
      {},
      { prediction_type: 'epsilon' },
    );
    refuses(
      'solver',
      /one of FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler with .* flow, not LCMScheduler/,
      { solver: 'LCMScheduler' },
    );
    refuses(
      'solver',
      /one of PeRFlowScheduler with .* ddim_eps, not FlowMatch/,
      {},
      { prediction_type: 'ddim_eps' },
    );
  });
});
