import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { predictedNoise } from '../../../src/diffusion/prediction.js';
import { createNoiseSchedule, type SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver, SolverError, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import type { PredictionType, Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { defaultOptions, stableDiffusion } from './solver-settings.js';

const modes = ['ddim_eps', 'diff_eps', 'velocity'] as const;
const { alphasCumprod } = createNoiseSchedule(stableDiffusion);

function perflow(options: Partial<SolverOptions>, config: SchedulerConfig = {}): Solver {
  return createSolver(
    { ...stableDiffusion, prediction_type: 'ddim_eps', ...config },
    { ...defaultOptions, solver: 'PeRFlowScheduler', num_inference_steps: 4, ...options },
  );
}

function timesteps(options: Partial<SolverOptions>, config: SchedulerConfig = {}): readonly number[] {
  return perflow(options, config).stages.map(({ timestep }) => timestep);
}

/** Returns a clean latent with this noise at a timestep, from 1; at 0 as at 1. */
function noised(timestep: number, clean: number, noise: number): number {
  const abar = alphasCumprod[Math.max(0, timestep - 1)];
  return Math.sqrt(abar) * clean + Math.sqrt(1 - abar) * noise;
}

describe('PeRFlow', () => {
  it('makes equal steps in each window, and one more in the first windows if some are over', () => {
    assert.deepEqual(timesteps({}), [1000, 750, 500, 250]);
    assert.deepEqual(timesteps({ num_inference_steps: 6 }), [1000, 875, 750, 625, 500, 250]);
    assert.deepEqual(timesteps({ num_inference_steps: 3 }, { num_time_windows: 3 }), [1000, 666, 333]);
    assert.deepEqual(timesteps({ num_inference_steps: 2 }, { num_time_windows: 1 }), [1000, 500]);
    assert.deepEqual(timesteps({ num_inference_steps: 8, t_index_list: [2, 5] }), [750, 375]);
  });

  it('noises a picture as at the training timestep', () => {
    for (const { timestep, a, b } of perflow({ num_inference_steps: 8 }).stages) {
      assert.ok(Math.abs(a ** 2 - alphasCumprod[timestep - 1]) < 1e-12);
      assert.ok(Math.abs(a ** 2 + b ** 2 - 1) < 1e-12);
    }
  });

  /**
   * Runs on outputs that are right for one clean latent and its noise: those of a model that was trained perfectly on
   * this one picture.
   */
  function runExactly(mode: PredictionType, options: Partial<SolverOptions>): Float64Array {
    const solver = perflow(options, { prediction_type: mode });
    const [clean, noise] = [0.8, -1.3];
    const sample = Float64Array.of(noised(solver.stages[0].timestep, clean, noise));
    const eps = new Float64Array(1);
    for (const [i, stage] of solver.stages.entries()) {
      const start = 250 * Math.ceil(stage.timestep / 250);
      const end = start - 250;
      const [from, to] = [noised(start, clean, noise), noised(end, clean, noise)];
      const ratio = alphasCumprod[start - 1] / alphasCumprod[Math.max(0, end - 1)];
      const output = {
        ddim_eps: noise,
        diff_eps: (from - Math.sqrt(ratio) * to) / Math.sqrt(1 - ratio),
        velocity: (to - from) / -0.25,
      }[mode as (typeof modes)[number]];
      predictedNoise(mode, stage, sample, Float32Array.of(output), eps);
      assertClose(eps, [noise], 1e-5, `${mode}, noise of call ${i}`);
      solver.step({ stage: i, sample, eps, noise: sample, history: {}, out: sample });
    }
    return sample;
  }

  it('ends at the picture with the noise of the first timestep, whatever the model predicts', () => {
    const wanted = [noised(0, 0.8, -1.3)];
    for (const mode of modes) {
      for (const num_inference_steps of [4, 8, 9, 20]) {
        const what = `${mode}, ${num_inference_steps} steps`;
        assertClose(runExactly(mode, { num_inference_steps }), wanted, 1e-5, what);
      }
    }
  });

  it('reaches it from a late start, and in steps longer than a window', () => {
    const wanted = [noised(0, 0.8, -1.3)];
    for (const mode of modes) {
      for (const t_index_list of [[2, 3], [1], [0, 2], [3]]) {
        assertClose(runExactly(mode, { t_index_list }), wanted, 1e-5, `${mode}, ${t_index_list.join()}`);
      }
    }
  });

  it('refuses fewer steps than windows, and more than timesteps', () => {
    const refuses = (message: RegExp, num_inference_steps: number, num_time_windows?: number): void =>
      assert.throws(
        () => perflow({ num_inference_steps }, { num_time_windows }),
        (error) =>
          error instanceof SolverError &&
          error.field === 'num_inference_steps' &&
          message.test(error.message),
      );
    refuses(/from 4, the time windows of the model, to 1000, not 3/, 3);
    refuses(/from 8, .* not 7/, 7, 8);
    refuses(/from 1 to 1000 for PeRFlowScheduler, not 1001/, 1001);
    refuses(/distinct timesteps from 1 to 1000/, 1000, 4);
  });
});
