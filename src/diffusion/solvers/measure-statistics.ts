import type { NoiseSchedule } from '../schedule.js';
import type { ModelStatistics } from '../statistics.js';
import type { Stage } from '../types.js';
import { lambdaOf, stageOfLambda } from './paths/lambdas.js';

/** Predicts the noise in a sample of this stage, after guidance; `number` is that of the sample. */
type StagePredictor = (sample: Float64Array, stage: Stage, number: number) => Promise<ArrayLike<number>>;

interface MeasureOptions {
  /** Number of intervals between the values of lambda. */
  readonly intervals: number;
  /** Whether statistics are averaged over the elements of a latent too. */
  readonly pooled: boolean;
  /** Length of the differences in lambda and in the sample, for derivatives: larger for a less exact predictor. */
  readonly difference: number;
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

/**
 * Measures the statistics of a model for DPM-Solver-v3 (Zheng et al. 2023, section 3.1 and appendix C.1.1): averages over
 * samples that follow the model's ODE from noise to data, from lambda to lambda by the Runge-Kutta method of order 4.
 * Derivatives are central differences.
 * @param starts Gaussian noise, one for each sample.
 */
export async function measureStatistics(
  { alphasCumprod }: NoiseSchedule,
  starts: readonly Float64Array[],
  predict: StagePredictor,
  { intervals, pooled, difference, onProgress }: MeasureOptions,
): Promise<ModelStatistics> {
  const rising = Array.from(alphasCumprod, (abar) => -Math.log(abar) / 2);
  const [noisy, clean] = [lambdaOf(-(rising.at(-1) ?? 0)), lambdaOf(-rising[0])];
  const step = (clean - noisy) / intervals;
  const stageOf = (lambda: number): Stage => stageOfLambda(lambda, rising);
  // The path of y = x / a has the slope -exp(-lambda) eps.
  const ask = async (y: Float64Array, lambda: number, number: number): Promise<Float64Array> => {
    const stage = stageOf(lambda);
    return Float64Array.from(
      await predict(
        y.map((value) => value * stage.a),
        stage,
        number,
      ),
    );
  };
  const along = (y: Float64Array, eps: Float64Array, lambda: number, h: number): Float64Array =>
    y.map((value, i) => value - h * Math.exp(-lambda) * eps[i]);

  const observe = async (
    y: Float64Array,
    eps: Float64Array,
    lambda: number,
    number: number,
  ): Promise<Observation> => {
    const { a } = stageOf(lambda);
    // At the ends of the training, there are levels on one side only.
    const before = Math.max(noisy, lambda - difference);
    const after = Math.min(clean, lambda + difference);
    const earlier = before < lambda ? await ask(along(y, eps, lambda, before - lambda), before, number) : eps;
    const later = after > lambda ? await ask(along(y, eps, lambda, after - lambda), after, number) : eps;
    const signs = y.map((_, i) => (hash(i, number) & 1 ? 1 : -1));
    const shifted = (by: number): Float64Array => y.map((value, i) => value + (by * signs[i]) / a);
    const up = await ask(shifted(difference), lambda, number);
    const down = await ask(shifted(-difference), lambda, number);
    return {
      x: y.map((value) => value * a),
      eps,
      slope: later.map((value, i) => (value - earlier[i]) / (after - before)),
      diagonal: up.map((value, i) => (signs[i] * (value - down[i])) / (2 * difference)),
    };
  };
  const advance = async (
    y: Float64Array,
    k1: Float64Array,
    lambda: number,
    number: number,
  ): Promise<Float64Array> => {
    const [middle, end] = [lambda + step / 2, lambda + step];
    const go = (eps: Float64Array, at: number, h: number): Float64Array => along(y, eps, at, h);
    const k2 = await ask(go(k1, lambda, step / 2), middle, number);
    const k3 = await ask(go(k2, middle, step / 2), middle, number);
    const k4 = await ask(go(k3, middle, step), end, number);
    const [e0, e1, e2] = [lambda, middle, end].map((at) => Math.exp(-at));
    return y.map((value, i) => value - (step / 6) * (e0 * k1[i] + 2 * e1 * (k2[i] + k3[i]) + e2 * k4[i]));
  };

  const first = stageOf(noisy);
  let paths: readonly Float64Array[] = starts.map((start) => start.map((value) => value / first.a));
  const collected: (readonly Observation[])[] = [];
  for (let j = 0; j <= intervals; j++) {
    const lambda = noisy + j * step;
    const observations: Observation[] = [];
    const next: Float64Array[] = [];
    for (const [number, y] of paths.entries()) {
      const eps = await ask(y, lambda, number);
      observations.push(await observe(y, eps, lambda, number));
      next.push(j < intervals ? await advance(y, eps, lambda, number) : y);
    }
    paths = next;
    collected.push(observations);
    onProgress?.(j + 1, intervals + 1);
  }
  const lambdas = collected.map((_, j) => noisy + j * step);
  return summarize(lambdas, lambdas.map(stageOf), collected, pooled);
}

function summarize(
  lambdas: readonly number[],
  levels: readonly Stage[],
  collected: readonly (readonly Observation[])[],
  pooled: boolean,
): ModelStatistics {
  const length = collected[0][0].x.length;
  const elements = pooled ? 1 : length;
  /** Averages over samples, and over elements if pooled. */
  const mean = (j: number, value: (of: Observation, i: number) => number): Float64Array => {
    const sums = new Float64Array(elements);
    for (const observation of collected[j])
      for (let i = 0; i < length; i++) sums[pooled ? 0 : i] += value(observation, i);
    const count = collected[j].length * (length / elements);
    return sums.map((sum) => sum / count);
  };
  const at = (values: Float64Array, i: number): number => values[pooled ? 0 : i];
  const l = collected.map((_, j) => mean(j, ({ diagonal }, i) => levels[j].b * diagonal[i]));
  const [s, b]: Float64Array[][] = [[], []];
  for (const [j, lambda] of lambdas.entries()) {
    const { a, b: noise } = levels[j];
    const slope = slopeAt(lambdas, l, j);
    const f = ({ x, eps }: Observation, i: number): number => (noise * eps[i] - at(l[j], i) * x[i]) / a;
    const df = ({ x, eps, slope: change }: Observation, i: number): number =>
      Math.exp(-lambda) * ((at(l[j], i) - 1) * eps[i] + change[i]) - (at(slope, i) * x[i]) / a;
    const [mf, mdf] = [mean(j, f), mean(j, df)];
    const both = mean(j, (one, i) => f(one, i) * df(one, i));
    const square = mean(j, (one, i) => f(one, i) ** 2);
    // Where guidance has drawn all samples together, there is no variance to divide by.
    const sj = both.map(
      (value, i) => (value - mf[i] * mdf[i]) / Math.max(square[i] - mf[i] ** 2, 1e-4 * square[i], 1e-30),
    );
    s.push(sj);
    b.push(mdf.map((value, i) => value - sj[i] * mf[i]));
  }
  const flat = (values: readonly Float64Array[]): Float64Array =>
    Float64Array.from(values.flatMap((value) => [...value]));
  return { elements, l: flat(l), s: flat(s), b: flat(b) };
}

/** Returns the derivative of values by lambda: central differences, at the ends one-sided. */
function slopeAt(lambdas: readonly number[], values: readonly Float64Array[], j: number): Float64Array {
  const [from, to] = [Math.max(0, j - 1), Math.min(lambdas.length - 1, j + 1)];
  return values[to].map((value, i) => (value - values[from][i]) / (lambdas[to] - lambdas[from]));
}

/** Returns bits that look random, by two numbers. */
function hash(i: number, k: number): number {
  let bits = Math.imul(i + 1, 0x9e3779b1) ^ Math.imul(k + 1, 0x85ebca6b);
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d);
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39);
  return (bits ^ (bits >>> 15)) >>> 7;
}
