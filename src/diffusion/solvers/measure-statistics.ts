import type { NoiseSchedule } from '../schedule.js';
import type { ModelStatistics } from '../statistics.js';
import type { Stage } from '../types.js';
import { lambdaGrid } from './paths/lambdas.js';

/** Predicts the noise in a variance-preserving sample of this stage, after guidance. */
type StagePredictor = (sample: Float64Array, stage: Stage) => Promise<ArrayLike<number>>;

interface PathOptions {
  /** Number of intervals between the values of lambda. */
  readonly intervals: number;
  /** Whether moments are averaged over the elements of a latent too. */
  readonly pooled: boolean;
  /** Length of the differences in lambda and in the sample, for derivatives: larger for a less exact predictor. */
  readonly difference: number;
  /** Number of the sample: each has random signs of its own. */
  readonly number: number;
  /** Called after each value of lambda. */
  readonly onProgress?: (done: number, total: number) => void;
}

/** What is known of a sample at a value of lambda. */
interface Observation {
  readonly x: Float64Array;
  readonly eps: Float64Array;
  /** The derivative of eps along the path of the sample, by lambda. */
  readonly slope: Float64Array;
  /** The diagonal of the derivative of eps by the sample, estimated with random signs. */
  readonly diagonal: Float64Array;
}

/** The moments of an observation, averaged over samples: all that the statistics need. */
interface Moments {
  readonly x: number;
  readonly eps: number;
  readonly slope: number;
  readonly diagonal: number;
  readonly xx: number;
  readonly xEps: number;
  readonly xSlope: number;
  readonly epsEps: number;
  readonly epsSlope: number;
}

const momentCount = 9;

/**
 * Follows the model's ODE from noise to data, from lambda to lambda by the Runge-Kutta method of order 4, and observes
 * the sample at each: the first part of the measurement of statistics for DPM-Solver-v3 (Zheng et al. 2023, section 3.1
 * and appendix C.1.1). Derivatives are central differences.
 * @param start the sample at the last training timestep.
 * @returns the moments of the sample, [values of lambda, moments, elements].
 */
export async function followPath(
  schedule: NoiseSchedule,
  start: Float64Array,
  predict: StagePredictor,
  { intervals, pooled, difference, number, onProgress }: PathOptions,
): Promise<Float64Array> {
  const { lambdas, stageOf } = lambdaGrid(schedule, intervals);
  const [noisy, clean] = [lambdas[0], lambdas[intervals]];
  const step = (clean - noisy) / intervals;
  const signs = start.map((_, i) => (hash(i, number) & 1 ? 1 : -1));
  // The path of y = x / a has the slope -exp(-lambda) eps.
  const ask = async (y: Float64Array, lambda: number): Promise<Float64Array> => {
    const stage = stageOf(lambda);
    const sample = y.map((value) => value * stage.a);
    return Float64Array.from(await predict(sample, stage));
  };
  const along = (y: Float64Array, eps: Float64Array, lambda: number, h: number): Float64Array =>
    y.map((value, i) => value - h * Math.exp(-lambda) * eps[i]);

  const observe = async (y: Float64Array, eps: Float64Array, lambda: number): Promise<Observation> => {
    const { a } = stageOf(lambda);
    // At the ends of the training, there are levels on one side only.
    const before = Math.max(noisy, lambda - difference);
    const after = Math.min(clean, lambda + difference);
    const earlier = before < lambda ? await ask(along(y, eps, lambda, before - lambda), before) : eps;
    const later = after > lambda ? await ask(along(y, eps, lambda, after - lambda), after) : eps;
    const shifted = (by: number): Float64Array => y.map((value, i) => value + (by * signs[i]) / a);
    const up = await ask(shifted(difference), lambda);
    const down = await ask(shifted(-difference), lambda);
    return {
      x: y.map((value) => value * a),
      eps,
      slope: later.map((value, i) => (value - earlier[i]) / (after - before)),
      diagonal: up.map((value, i) => (signs[i] * (value - down[i])) / (2 * difference)),
    };
  };
  const advance = async (y: Float64Array, k1: Float64Array, lambda: number): Promise<Float64Array> => {
    const [middle, end] = [lambda + step / 2, lambda + step];
    const k2 = await ask(along(y, k1, lambda, step / 2), middle);
    const k3 = await ask(along(y, k2, middle, step / 2), middle);
    const k4 = await ask(along(y, k3, middle, step), end);
    const [e0, e1, e2] = [lambda, middle, end].map((at) => Math.exp(-at));
    return y.map((value, i) => value - (step / 6) * (e0 * k1[i] + 2 * e1 * (k2[i] + k3[i]) + e2 * k4[i]));
  };

  const noisiest = stageOf(noisy);
  let y: Float64Array = start.map((value) => value / noisiest.a);
  const elements = pooled ? 1 : start.length;
  const moments = new Float64Array(lambdas.length * momentCount * elements);
  for (const [j, lambda] of lambdas.entries()) {
    const eps = await ask(y, lambda);
    const own = moments.subarray(j * momentCount * elements, (j + 1) * momentCount * elements);
    addMoments(await observe(y, eps, lambda), elements, own);
    if (j < intervals) y = await advance(y, eps, lambda);
    onProgress?.(j + 1, lambdas.length);
  }
  return moments;
}

/** Adds the moments of an observation, averaged over what shares an element. @param moments [moments, elements] */
function addMoments({ x, eps, slope, diagonal }: Observation, elements: number, moments: Float64Array): void {
  const share = elements / x.length;
  for (let i = 0; i < x.length; i++) {
    const [own, e, d] = [x[i], eps[i], slope[i]];
    const values = [own, e, d, diagonal[i], own * own, own * e, own * d, e * e, e * d];
    for (let m = 0; m < momentCount; m++) moments[m * elements + (i % elements)] += share * values[m];
  }
}

/**
 * Returns the statistics of a model by the moments along paths, all of the same intervals: the second part of the
 * measurement.
 */
export function statisticsOf(
  schedule: NoiseSchedule,
  intervals: number,
  paths: readonly ArrayLike<number>[],
): ModelStatistics {
  const { lambdas, stageOf } = lambdaGrid(schedule, intervals);
  const elements = paths[0].length / (momentCount * lambdas.length);
  const means = Float64Array.from(
    { length: paths[0].length },
    (_, i) => paths.reduce((sum, path) => sum + path[i], 0) / paths.length,
  );
  const momentsAt = (j: number, element: number): Moments => {
    const [x, eps, slope, diagonal, xx, xEps, xSlope, epsEps, epsSlope] = Array.from(
      { length: momentCount },
      (_, m) => means[(j * momentCount + m) * elements + element],
    );
    return { x, eps, slope, diagonal, xx, xEps, xSlope, epsEps, epsSlope };
  };
  const levels = lambdas.map(stageOf);
  const empty = (): Float64Array => new Float64Array(lambdas.length * elements);
  const found = { elements, l: empty(), s: empty(), b: empty() };
  for (let element = 0; element < elements; element++) {
    const l = levels.map(({ b }, j) => b * momentsAt(j, element).diagonal);
    for (const [j, level] of levels.entries()) {
      const { s, b } = regression(momentsAt(j, element), level, l[j], slopeAt(lambdas, l, j));
      const at = j * elements + element;
      [found.l[at], found.s[at], found.b[at]] = [l[j], s, b];
    }
  }
  return found;
}

/**
 * Returns the line that fits f' by f best: f' = s f + b, with f = (b eps - l x) / a and its derivative by lambda,
 * f' = exp(-lambda) ((l - 1) eps + eps') - l' x / a.
 */
function regression(
  of: Moments,
  { a, b: noise }: Stage,
  l: number,
  lSlope: number,
): { readonly s: number; readonly b: number } {
  // f = ofEps eps + ofX x, and f' = slopeOfEps eps + ofEps eps' + slopeOfX x, since exp(-lambda) = b / a.
  const [ofEps, ofX] = [noise / a, -l / a];
  const [slopeOfEps, slopeOfX] = [ofEps * (l - 1), -lSlope / a];
  const f = ofEps * of.eps + ofX * of.x;
  const df = slopeOfEps * of.eps + ofEps * of.slope + slopeOfX * of.x;
  const both =
    ofEps * (slopeOfEps * of.epsEps + ofEps * of.epsSlope + slopeOfX * of.xEps) +
    ofX * (slopeOfEps * of.xEps + ofEps * of.xSlope + slopeOfX * of.xx);
  const square = ofEps ** 2 * of.epsEps + 2 * ofEps * ofX * of.xEps + ofX ** 2 * of.xx;
  // Where guidance has drawn all samples together, there is no variance to divide by.
  const s = (both - f * df) / Math.max(square - f ** 2, 1e-4 * square, 1e-30);
  return { s, b: df - s * f };
}

/** Returns the derivative of values by lambda: central differences, at the ends one-sided. */
function slopeAt(lambdas: readonly number[], values: readonly number[], j: number): number {
  const [from, to] = [Math.max(0, j - 1), Math.min(lambdas.length - 1, j + 1)];
  return (values[to] - values[from]) / (lambdas[to] - lambdas[from]);
}

/** Returns bits that look random, by two numbers. */
function hash(i: number, k: number): number {
  let bits = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(k + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) >>> 7;
}
