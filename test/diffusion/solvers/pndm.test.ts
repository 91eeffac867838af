import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { createHistory, defaultOptions } from './solver-settings.js';

function pndm(config: SchedulerConfig, steps: number, t_index_list: readonly number[] | null = null): Solver {
  return createSolver(config, {
    ...defaultOptions,
    solver: 'PNDMScheduler',
    num_inference_steps: steps,
    t_index_list,
  });
}

/** Returns the samples after each call. */
function run(solver: Solver, predictions: readonly number[]): number[] {
  const history = createHistory(solver, 1);
  const sample = Float64Array.of(0.7);
  return solver.stages.map((_, i) => {
    const eps = Float64Array.of(predictions[i]);
    solver.step({ stage: i, sample, eps, noise: Float64Array.of(Number.NaN), history, out: sample });
    return sample[0];
  });
}

describe('PNDM', () => {
  const timesteps = (solver: Solver): readonly number[] => solver.stages.map(({ timestep }) => timestep);

  it('makes its first step twice, or the first three by Runge-Kutta if there are more', () => {
    assert.deepEqual(timesteps(pndm({}, 1)), [0]);
    assert.deepEqual(timesteps(pndm({}, 2)), [500, 0, 0]);
    assert.deepEqual(timesteps(pndm({}, 3)), [666, 333, 333, 0]);
    const warmUp = [750, 625, 625, 500, 500, 375, 375, 250, 250, 125, 125, 0, 0];
    assert.deepEqual(timesteps(pndm({}, 4)), warmUp);
    assert.deepEqual(timesteps(pndm({ skip_prk_steps: true }, 4)), [750, 500, 500, 250, 0]);
    const five = [800, 700, 700, 600, 600, 500, 500, 400, 400, 300, 300, 200, 200, 0];
    assert.deepEqual(timesteps(pndm({}, 5)), five);
    assert.deepEqual(
      timesteps(pndm({}, 10, [0, 1, 3, 9])),
      [900, 850, 850, 800, 800, 700, 700, 600, 600, 300, 300, 0, 0],
    );
  });

  // The signal that is left at both timesteps: 0.8 and 0.5.
  const training = { trained_betas: [0.2, 0.375], set_alpha_to_one: true };
  const levels = [0.5, 0.8, 1];

  /** Equation 11 of Liu et al. 2022. */
  function transfer(from: number, to: number, x: number, noise: number): number {
    const below = Math.sqrt(from) * (Math.sqrt((1 - to) * from) + Math.sqrt((1 - from) * to));
    return Math.sqrt(to / from) * x - ((to - from) / below) * noise;
  }

  it('averages noise if the model predicts noise', () => {
    const [high, low, none] = levels;
    const [e0, e1, e2] = [0.4, -0.3, 0.9];
    const first = transfer(high, low, 0.7, e0);
    const second = transfer(high, low, 0.7, (e0 + e1) / 2);
    const third = transfer(low, none, second, 1.5 * e2 - 0.5 * e0);
    assertClose(run(pndm(training, 2), [e0, e1, e2]), [first, second, third], 1e-6, 'samples');
  });

  it('averages v if the model predicts v', () => {
    const [high, low, none] = levels;
    const predictions = [0.4, -0.3, 0.9];
    const v = (level: number, x: number, noise: number): number =>
      (noise - Math.sqrt(1 - level) * x) / Math.sqrt(level);
    const noiseOf = (level: number, x: number, output: number): number =>
      Math.sqrt(level) * output + Math.sqrt(1 - level) * x;
    const v0 = v(high, 0.7, predictions[0]);
    const first = transfer(high, low, 0.7, predictions[0]);
    const v1 = v(low, first, predictions[1]);
    const second = transfer(high, low, 0.7, noiseOf(high, 0.7, (v0 + v1) / 2));
    const v2 = v(low, second, predictions[2]);
    const third = transfer(low, none, second, noiseOf(low, second, 1.5 * v2 - 0.5 * v0));
    const solver = pndm({ ...training, prediction_type: 'v_prediction' }, 2);
    assertClose(run(solver, predictions), [first, second, third], 1e-6, 'samples');
  });

  it('weights the last outputs by Adams and Bashforth, up to four', () => {
    const solver = pndm({ skip_prk_steps: true }, 10);
    const weights = (call: number): number[] => {
      // The share of each prediction in the next sample, relative to that of the call itself.
      const parts = Array.from({ length: call + 1 }, (_, k) => {
        const one = solver.stages.map((_, i) => (i === k ? 1 : 0));
        const none = solver.stages.map(() => 0);
        const [some, nothing] = [one, none].map((given) => oneCall(solver, given, call));
        return some - nothing;
      });
      return parts.map((part) => part / parts[call]);
    };
    const near = (call: number, wanted: readonly number[]): void => {
      assertClose(weights(call).slice(-wanted.length), wanted, 1e-6, `call ${call}`);
    };
    near(3, [-16 / 23, 1]);
    near(5, [-9 / 55, 37 / 55, -59 / 55, 1]);
    near(8, [-9 / 55, 37 / 55, -59 / 55, 1]);
  });
});

/** Returns the result of a call for a sample of 0, after calls with these predictions and samples of 0. */
function oneCall(solver: Solver, predictions: readonly number[], call: number): number {
  const history = createHistory(solver, 1);
  const zero = Float64Array.of(0);
  const out = Float64Array.of(0);
  for (let i = 0; i <= call; i++) {
    const eps = Float64Array.of(predictions[i]);
    solver.step({ stage: i, sample: zero, eps, noise: zero, history, out });
  }
  return out[0];
}
