import assert from 'node:assert/strict';
import { it } from 'node:test';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import { defaultOptions, stableDiffusion } from './solver-settings.js';

/** Returns the integral of a smooth function from 0 to h, by Simpson's rule. */
function integral(f: (s: number) => number, h: number): number {
  const parts = 100;
  const width = h / parts;
  let total = 0;
  for (let i = 0; i < parts; i++) {
    const start = i * width;
    total += (width / 6) * (f(start) + 4 * f(start + width / 2) + f(start + width));
  }
  return total;
}

/**
 * The equation that each algorithm integrates (Lu et al. 2022a, 2022b), in lambda = log(a / b), without its noise:
 * from level s to t at a distance of h, with the model output as a function of the way from s.
 */
const solutions = {
  dpmsolver: (s: Level, t: Level, h: number, m: Output) => (x: number) =>
    (t.a / s.a) * x - t.b * integral((way) => Math.exp(h - way) * m(way), h),
  'dpmsolver++': (s: Level, t: Level, h: number, m: Output) => (x: number) =>
    (t.b / s.b) * x + t.a * integral((way) => Math.exp(way - h) * m(way), h),
  'sde-dpmsolver': (s: Level, t: Level, h: number, m: Output) => (x: number) =>
    (t.a / s.a) * x - 2 * t.b * integral((way) => Math.exp(h - way) * m(way), h),
  'sde-dpmsolver++': (s: Level, t: Level, h: number, m: Output) => (x: number) =>
    (t.b / s.b) * Math.exp(-h) * x + 2 * t.a * integral((way) => Math.exp(2 * (way - h)) * m(way), h),
} as const;

interface Level {
  readonly a: number;
  readonly b: number;
}
type Output = (way: number) => number;
type Algorithm = keyof typeof solutions;

/**
 * Returns the error of a step from one stage, where outputs are this function of lambda.
 * @param lost the part of the square of the way that the solver does not see.
 */
function errorOf(
  algorithm_type: Algorithm,
  solver_order: 1 | 2 | 3,
  outputAt: (lambda: number) => number,
  lost = 0,
): number {
  const config = { ...stableDiffusion, solver_type: 'heun' } as const;
  const options = {
    ...defaultOptions,
    solver: 'DPMSolverMultistepScheduler',
    algorithm_type,
    solver_order,
  } as const;
  const solver = createSolver(config, { ...options, num_inference_steps: 20 });
  const predictsNoise = algorithm_type.endsWith('dpmsolver');
  const history = solver.createHistory(1);
  const sample = Float64Array.of(0.7);
  const lambdaOf = ({ a, b }: Level): number => Math.log(a / b);
  const noise = Float64Array.of(0);
  for (let i = 0; ; i++) {
    const stage = solver.stages[i];
    const output = outputAt(lambdaOf(stage));
    const eps = Float64Array.of(predictsNoise ? output : (sample[0] - stage.a * output) / stage.b);
    const before = sample[0];
    solver.step({ stage: i, sample, eps, noise, history, out: sample });
    if (i < 6) continue;
    const next = solver.stages[i + 1];
    const [from, h] = [lambdaOf(stage), lambdaOf(next) - lambdaOf(stage)];
    const wanted = solutions[algorithm_type](
      stage,
      next,
      h,
      (way) => outputAt(from + way) - lost * way ** 2,
    )(before);
    return Math.abs(sample[0] - wanted);
  }
}

const constant = (): number => 0.3;
const linear = (lambda: number): number => 0.3 + 0.4 * lambda;
const square = (lambda: number): number => 0.3 + 0.4 * lambda + 0.5 * lambda ** 2;

for (const algorithm of Object.keys(solutions) as Algorithm[]) {
  it(`${algorithm} of order n is exact where the outputs are a polynomial with n terms, and only there`, () => {
    for (const [order, exact, further] of [
      [1, constant, linear],
      [2, linear, square],
    ] as const) {
      assert.ok(errorOf(algorithm, order, exact) < 1e-6, `order ${order}`);
      assert.ok(errorOf(algorithm, order, further) > 1e-4, `order ${order}`);
    }
    // The third order of diffusers, which is kept, sees half of the curvature (and has another sign in the term of
    // sde-dpmsolver++).
    assert.ok(errorOf(algorithm, 3, linear) < 1e-6, 'order 3');
    if (algorithm !== 'sde-dpmsolver++') assert.ok(errorOf(algorithm, 3, square, 0.25) < 1e-6, 'order 3');
  });
}
