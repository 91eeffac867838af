import { Gaussian } from '../../src/diffusion/gaussian.js';
import { createNoiseSchedule } from '../../src/diffusion/schedule.js';
import { stageAt } from '../../src/diffusion/solvers/paths/timesteps.js';
import { report, type Figure } from './report.js';
import { draw, noised, predictNoise, relativeError, scheduler, type Draw } from './two-modes.js';

/**
 * Samplers that are left out, beside the plain ones that they would improve: `npm run bench -- left-out-samplers`, the
 * figures of src/diffusion/README.md.
 */
const valuesPerDraw = 1024;
const draws = Array.from({ length: 16 }, (_, i) => draw(i + 1, valuesPerDraw));
const schedule = createNoiseSchedule(scheduler);
const levels = Array.from(schedule.alphasCumprod, (_, timestep) => stageAt(schedule, timestep));

/** Timesteps of the method of shifted time steps: how far around the next one to look, and down to which. */
const shift = { window: 30, cutoff: 300 };
/** Signal-to-noise ratio of the corrector, the default of its authors. */
const signalToNoise = 0.16;

/** Takes the steps of DDIM from the last timestep to 0; with shifted time steps, to the level that fits the variance, as in its authors' code. */
function ddim(start: Draw, calls: number, shifted: boolean): Float64Array {
  const times = Array.from({ length: calls + 1 }, (_, i) => Math.round(999 * (1 - i / calls)));
  let x = noised(start, levels[999]);
  for (let i = 0; i < calls; i++) {
    const from = levels[times[i]];
    const target = times[i + 1];
    const to = levels[shifted && i > 0 && target > shift.cutoff ? nearest(x, target) : target];
    const eps = predictNoise(x, from);
    x = x.map((value, k) => (to.a * (value - from.b * eps[k])) / from.a + to.b * eps[k]);
  }
  return x;
}

/** Returns the timestep around a target whose noise has the variance of the sample (Li et al. 2024). */
function nearest(x: Float64Array, target: number): number {
  const mean = x.reduce((total, value) => total + value, 0) / x.length;
  const variance = x.reduce((total, value) => total + (value - mean) ** 2, 0) / (x.length - 1);
  const first = Math.max(0, target - shift.window / 2);
  const around = levels.slice(first, target + shift.window / 2 + 1);
  const distances = around.map(({ b }) => Math.abs(b ** 2 - variance));
  return first + distances.indexOf(Math.min(...distances));
}

/**
 * Samples as in Song et al. 2021: ancestral steps (equation 4), each after a Langevin step if there is a corrector
 * (algorithm 5), which costs a call.
 */
function ancestral(start: Draw, calls: number, corrector: boolean, random: Gaussian): Float64Array {
  const steps = corrector ? calls / 2 : calls;
  const times = Array.from({ length: steps }, (_, i) => 1 + (steps - 1 - i) * Math.floor(1000 / steps));
  let x = noised(start, levels[times[0]]);
  for (const [i, timestep] of times.entries()) {
    const level = levels[timestep];
    const scoreOf = (at: Float64Array): Float64Array => predictNoise(at, level).map((eps) => -eps / level.b);
    const alpha = (level.a / (levels[times[i + 1]]?.a ?? 1)) ** 2;
    if (corrector) {
      const score = scoreOf(x);
      const noise = random.fill(new Float64Array(x.length));
      const size = 2 * alpha * ((signalToNoise * Math.hypot(...noise)) / Math.hypot(...score)) ** 2;
      x = x.map((value, k) => value + size * score[k] + Math.sqrt(2 * size) * noise[k]);
    }
    const score = scoreOf(x);
    // The last mean is the result.
    const deviation = i === times.length - 1 ? 0 : Math.sqrt(1 - alpha);
    x = x.map((value, k) => (value + (1 - alpha) * score[k]) / Math.sqrt(alpha) + deviation * random.next());
  }
  return x;
}

/** Returns the mean distance of values from equally many of the data, both in ascending order (Wasserstein). */
function distance(values: readonly Float64Array[]): number {
  const got = joined(values).toSorted();
  const data = draw(100, got.length).clean.toSorted();
  return got.reduce((total, value, i) => total + Math.abs(value - data[i]), 0) / got.length;
}

const figures: Figure[] = [];
const exact = joined(draws.map((start) => ddim(start, 999, false)));
for (const calls of [2, 4, 8]) {
  for (const [name, shifted] of [
    ['DDIM', false],
    ['DDIM with shifted time steps', true],
  ] as const) {
    const samples = joined(draws.map((start) => ddim(start, calls, shifted)));
    figures.push({
      what: `${calls} calls, error of ${name}`,
      value: relativeError(samples, exact),
      unit: '',
    });
  }
}
for (const calls of [4, 8, 16]) {
  for (const [name, corrector] of [
    ['ancestral steps', false],
    ['half as many with corrector', true],
  ] as const) {
    const random = new Gaussian(101);
    const value = distance(draws.map((start) => ancestral(start, calls, corrector, random)));
    figures.push({ what: `${calls} calls, distance of ${name} to the data`, value, unit: '' });
  }
}
report('left-out-samplers', figures);

function joined(parts: readonly Float64Array[]): Float64Array {
  return Float64Array.from(parts.flatMap((part) => [...part]));
}
