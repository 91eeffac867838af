import { Gaussian } from '../../src/diffusion/gaussian.js';
import type { SchedulerConfig } from '../../src/diffusion/schedule.js';
import type { Solver, Stage } from '../../src/diffusion/types.js';

/*
 * A model whose exact prediction is known: each value of its data is -1 or 1, plus Gaussian noise, independently. It
 * shows what samplers lose by their few steps alone: orders of merit, not of pictures.
 */

const deviation = 0.3;

/** The schedule of Stable Diffusion. All solvers end at the noise level of timestep 0. */
export const scheduler: SchedulerConfig = {
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  set_alpha_to_one: false,
  final_sigmas_type: 'sigma_min',
};

/** A noise level: samples are a x0 + b z. */
export type Level = Pick<Stage, 'a' | 'b'>;

/** Returns the expected noise in samples at a noise level. */
export function predictNoise(samples: Float64Array, { a, b }: Level): Float64Array {
  const variance = (a * deviation) ** 2 + b ** 2;
  // Of modes at -a and a, the expected one is a times this tanh.
  return samples.map((x) => (b * (x - a * Math.tanh((a * x) / variance))) / variance);
}

/** Data, and the noise that is added to it. */
export interface Draw {
  readonly clean: Float64Array;
  readonly noise: Float64Array;
}

/** Returns a draw that depends on its seed alone. */
export function draw(seed: number, length: number): Draw {
  const random = new Gaussian(seed);
  const clean = Float64Array.from({ length }, () => {
    return (random.uniform() < 0.5 ? -1 : 1) + deviation * random.next();
  });
  return { clean, noise: random.fill(new Float64Array(length)) };
}

export function noised({ clean, noise }: Draw, { a, b }: Level): Float64Array {
  return clean.map((x0, i) => a * x0 + b * noise[i]);
}

/** Runs a draw through the steps of a solver. */
export function run(solver: Solver, start: Draw): Float64Array {
  const { stages } = solver;
  const [first] = stages;
  const sample = noised(start, first).map((value) => value / first.inputScale);
  const history = solver.createHistory(sample.length);
  for (const [stage, level] of stages.entries()) {
    const input = sample.map((value) => value * level.inputScale);
    const eps = predictNoise(input, level);
    solver.step({ stage, sample, eps, noise: start.noise, history, out: sample });
  }
  return sample;
}

/** Returns the root mean square of the difference from the exact samples, divided by theirs. */
export function relativeError(samples: Float64Array, exact: Float64Array): number {
  let [difference, size] = [0, 0];
  for (const [i, value] of exact.entries()) {
    difference += (samples[i] - value) ** 2;
    size += value ** 2;
  }
  return Math.sqrt(difference / size);
}
