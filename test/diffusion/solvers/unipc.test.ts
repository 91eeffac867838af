import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import type { SolverOptions } from '../../../src/diffusion/solver-options.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { createHistory, defaultOptions, stableDiffusion } from './solver-settings.js';

interface Level {
  readonly a: number;
  readonly b: number;
}

function unipc(config: SchedulerConfig, options: Partial<SolverOptions>): Solver {
  const name = 'UniPCMultistepScheduler';
  return createSolver({ ...stableDiffusion, ...config }, { ...defaultOptions, solver: name, ...options });
}

/** The model output at each stage: the clean picture or the noise. */
const outputs = [0.3, -0.5, 0.9, 0.2, -0.4, 0.6];

/** Returns the samples before each stage and after the last, and the corrected ones. */
function run(solver: Solver, clean: boolean, says = (i: number): number => outputs[i % outputs.length]) {
  const history = createHistory(solver, 1);
  const sample = Float64Array.of(0.7);
  const samples = [0.7];
  const corrected: number[] = [];
  for (const [i, { a, b }] of solver.stages.entries()) {
    const eps = Float64Array.of(clean ? (sample[0] - a * says(i)) / b : says(i));
    solver.step({ stage: i, sample, eps, noise: Float64Array.of(Number.NaN), history, out: sample });
    samples.push(sample[0]);
    corrected.push(history['last'][0]);
  }
  return { samples, corrected };
}

const distance = (s: Level, t: Level): number => Math.log(t.a / t.b) - Math.log(s.a / s.b);

/** Returns a first-order step in either form (Zhao et al. 2023, equation 3, and its analogue for clean estimates). */
function first(clean: boolean, s: Level, t: Level, x: number, m: number): number {
  const h = distance(s, t);
  return clean ? (t.b / s.b) * x + t.a * -Math.expm1(-h) * m : (t.a / s.a) * x - t.b * Math.expm1(h) * m;
}

/** Returns the factor of a difference of outputs, besides a half. */
function slopeFactor(clean: boolean, bh1: boolean, s: Level, t: Level): number {
  const h = clean ? -distance(s, t) : distance(s, t);
  return -(clean ? t.a : t.b) * (bh1 ? h : Math.expm1(h));
}

describe('UniPC', () => {
  for (const clean of [true, false]) {
    for (const solver_type of ['bh1', 'bh2', 'midpoint']) {
      const bh1 = solver_type === 'bh1';
      const config = { predict_x0: clean, solver_type };
      it(`takes half of a slope at first and second solver_order: ${clean ? 'clean' : 'noise'}, ${solver_type}`, () => {
        const [m0, m1, m2] = outputs;
        for (const order of [1, 2] as const) {
          const solver = unipc(config, { solver_order: order, num_inference_steps: 6 });
          const [s, t, u] = solver.stages;
          const { samples, corrected } = run(solver, clean);
          const predicted = first(clean, s, t, 0.7, m0);
          const second = predicted + (slopeFactor(clean, bh1, s, t) * (m1 - m0)) / 2;
          assertClose([samples[1], corrected[1]], [predicted, second], 1e-6, `first step, ${order}`);
          const slope = (m0 - m1) / (-distance(s, t) / distance(t, u));
          const third =
            first(clean, t, u, second, m1) + (order === 1 ? 0 : (slopeFactor(clean, bh1, t, u) * slope) / 2);
          assertClose([samples[2]], [third], 1e-6, `second step, ${order}`);
          if (order === 2) continue;
          const fourth = first(clean, t, u, second, m1) + (slopeFactor(clean, bh1, t, u) * (m2 - m1)) / 2;
          assertClose([corrected[2]], [fourth], 1e-6, 'second correction');
        }
      });
    }

    it(`is exact for outputs that are a square, at third solver_order: ${clean ? 'clean' : 'noise'}`, () => {
      for (const solver_type of ['bh1', 'bh2']) {
        const solver = unipc({ predict_x0: clean, solver_type }, { solver_order: 3 });
        const { stages } = solver;
        const lambda = (i: number): number => distance({ a: 1, b: 1 }, stages[i]);
        const square = (l: number): number => 0.3 + 0.4 * l + 0.5 * l ** 2;
        const { samples, corrected } = run(solver, clean, (i) => square(lambda(i)));
        const exact = (from: number, to: number, x: number): number => {
          const [s, t] = [stages[from], stages[to]];
          const h = distance(s, t);
          const part = (way: number): number =>
            Math.exp(clean ? way - h : h - way) * square(lambda(from) + way);
          return clean
            ? (t.b / s.b) * x + t.a * integral(part, h)
            : (t.a / s.a) * x - t.b * integral(part, h);
        };
        for (const i of [5, 9, 14]) {
          assertClose([corrected[i]], [exact(i - 1, i, corrected[i - 1])], 1e-6, `correction ${i}`);
          assertClose([samples[i + 1]], [exact(i, i + 1, corrected[i])], 1e-6, `prediction ${i}`);
        }
      }
    });
  }

  it('leaves samples unchanged where the corrector is off, by positions in the full schedule', () => {
    const corrections = (
      disable_corrector: readonly number[] | undefined,
      from: number,
    ): readonly boolean[] => {
      const t_index_list = Array.from({ length: 6 - from }, (_, i) => from + i);
      const solver = unipc({ disable_corrector }, { num_inference_steps: 6, t_index_list });
      const { samples, corrected } = run(solver, true);
      return corrected.map((value, i) => value !== samples[i]);
    };
    assert.deepEqual(corrections(undefined, 0), [false, true, true, true, true, true]);
    assert.deepEqual(corrections([], 0), [false, true, true, true, true, true]);
    assert.deepEqual(corrections([0], 0), [false, false, true, true, true, true]);
    assert.deepEqual(corrections([1, 4], 0), [false, true, false, true, true, false]);
    assert.deepEqual(corrections([1, 4], 1), [false, false, true, true, false]);
    assert.deepEqual(corrections([2], 1), [false, true, false, true, true]);
  });

  it('is of first order at its end if that is without noise or orders are lowered', () => {
    for (const [lower_order_final, final_sigmas_type, lowered] of [
      [true, 'zero', true],
      [false, 'zero', true],
      [undefined, 'sigma_min', true],
      [true, 'sigma_min', true],
      [false, 'sigma_min', false],
    ] as const) {
      const config = { lower_order_final, final_sigmas_type };
      const { stages } = unipc(config, { solver_order: 3, num_inference_steps: 5 });
      const { samples, corrected } = run(unipc(config, { solver_order: 3, num_inference_steps: 5 }), true);
      const [last, m] = [stages[4], outputs[4]];
      // Otherwise it ends at the lowest level of the training.
      const sigma = Math.sqrt(0.00085 / 0.99915);
      const a = 1 / Math.sqrt(1 + sigma ** 2);
      const end = final_sigmas_type === 'zero' ? m : first(true, last, { a, b: a * sigma }, corrected[4], m);
      assert.equal(Math.abs(samples[5] - end) < 1e-5, lowered, `${lower_order_final}, ${final_sigmas_type}`);
    }
  });

  it('keeps the sample if the last step leads to the same level', () => {
    for (const order of [1, 2, 3] as const) {
      const config = { final_sigmas_type: 'sigma_min', lower_order_final: false } as const;
      const solver = unipc(config, { solver_order: order, num_inference_steps: 5, use_karras_sigmas: true });
      const { samples, corrected } = run(solver, true);
      assertClose([samples[5]], [corrected[4]], 1e-9, `order ${order}`);
    }
  });

  it('thresholds clean estimates but does not clip them', () => {
    const last = (config: SchedulerConfig): number =>
      run(unipc(config, { num_inference_steps: 3 }), config.predict_x0 ?? true, () => 3).samples[3];
    const limits = { dynamic_thresholding_ratio: 1, sample_max_value: 1 };
    assertClose([last({})], [3], 1e-6, 'free');
    assertClose([last({ clip_sample: true })], [3], 1e-6, 'clipped');
    assertClose([last({ thresholding: true, ...limits })], [1], 1e-6, 'thresholded');
    assert.equal(
      last({ predict_x0: false, thresholding: true, ...limits }),
      last({ predict_x0: false }),
      'noise has no bound',
    );
  });
});

/** Returns the integral of a smooth function from 0 to h, by Simpson's rule. */
function integral(f: (way: number) => number, h: number): number {
  const width = h / 100;
  let total = 0;
  for (let i = 0; i < 100; i++) {
    const start = i * width;
    total += (width / 6) * (f(start) + 4 * f(start + width / 2) + f(start + width));
  }
  return total;
}
