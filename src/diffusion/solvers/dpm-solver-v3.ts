import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { ModelStatistics } from '../statistics.js';
import type { Solver } from '../types.js';
import { elementwiseSolver } from './linear/elementwise.js';
import { eps, one, quantity, sum, x, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { solveLinearSystem } from './linear/linear-system.js';
import { earlier, orderUpTo3, remember } from './linear/multistep.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { lambdaPath, type LambdaPath } from './paths/lambdas.js';

/** The variants of the original. */
export interface V3Variant {
  /** Whether each sample is corrected by the prediction for it; up to the middle of the schedule, or throughout. */
  readonly corrector: boolean | 'half';
  /** Whether derivatives are divided differences (algorithms 1 and 2: pseudo-order), of the prediction and correction. */
  readonly predictsPseudo: boolean;
  readonly correctsPseudo: boolean;
}

/** Creates DPM-Solver-v3 (Zheng et al. 2023) with the statistics of the model, as its authors use it for pictures. */
export function createDpmSolverV3(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const { statistics } = config;
  if (statistics === undefined)
    throw new SolverError('solver', 'needs statistics of the model: a file dpm_solver_v3.json in its folder');
  const order = orderUpTo3(options);
  const intervals = statistics.l.length / statistics.elements - 1;
  const path = lambdaPath(schedule, options, { intervals, even: 'time' });
  const variant = {
    corrector: options.use_corrector ?? true,
    predictsPseudo: false,
    correctsPseudo: true,
  };
  return v3Solver(path, statistics, order, variant);
}

/** Creates the solver of a path through the values of lambda of the statistics. */
export function v3Solver(
  path: LambdaPath,
  statistics: ModelStatistics,
  order: number,
  variant: V3Variant,
): Solver {
  const { elements } = statistics;
  const rulesOf = (element: number): readonly Rule[] => {
    const of = (values: Float64Array): Float64Array => values.filter((_, i) => i % elements === element);
    const integrals = integrate(path.lambdas, of(statistics.l), of(statistics.s), of(statistics.b));
    return rulesFor(path, integrals, order, variant);
  };
  if (elements === 1) return linearSolver(path.stages, 1, rulesOf(0));
  return elementwiseSolver(
    path.stages,
    Array.from({ length: elements }, (_, element) => rulesOf(element)),
  );
}

/** Integrals from the first value of lambda to each other (section 3.1), with l itself. */
interface Integrals {
  readonly lambdas: readonly number[];
  readonly l: Float64Array;
  readonly sumL: Float64Array;
  readonly sumS: Float64Array;
  /** Of exp(L + S). */
  readonly sumGrowth: Float64Array;
  /** Of exp(-S) b. */
  readonly sumBias: Float64Array;
  /** Of exp(L + S) times the one before. */
  readonly sumBoth: Float64Array;
}

function integrate(lambdas: readonly number[], l: Float64Array, s: Float64Array, b: Float64Array): Integrals {
  const [sumL, sumS] = [trapezoids(lambdas, l), trapezoids(lambdas, s)];
  const growth = sumL.map((value, j) => Math.exp(value + sumS[j]));
  const bias = trapezoids(
    lambdas,
    b.map((value, j) => Math.exp(-sumS[j]) * value),
  );
  const both = growth.map((value, j) => value * bias[j]);
  return {
    lambdas,
    l,
    sumL,
    sumS,
    sumGrowth: trapezoids(lambdas, growth),
    sumBias: bias,
    sumBoth: trapezoids(lambdas, both),
  };
}

/** Returns the integrals from the first place to each, by the trapezoidal rule. */
function trapezoids(places: readonly number[], values: ArrayLike<number>): Float64Array {
  const sums = new Float64Array(places.length);
  for (let j = 1; j < places.length; j++) {
    sums[j] = sums[j - 1] + ((places[j] - places[j - 1]) * (values[j] + values[j - 1])) / 2;
  }
  return sums;
}

/** A call of the model: its position among the values of lambda, and f = (b eps - l x) / a there. */
interface Point {
  readonly position: number;
  readonly f: Form;
}

function rulesFor(
  { stages, positions, middle }: LambdaPath,
  integrals: Integrals,
  order: number,
  { corrector, predictsPseudo, correctsPseudo }: V3Variant,
): readonly Rule[] {
  const orderAt = (j: number): number => Math.min(order, j + 1, stages.length - j);
  const remembered = corrector === false ? order - 1 : order - (correctsPseudo ? 0 : 1);
  return stages.map((stage, j): Rule => {
    const { a, b } = stage;
    const position = positions[j];
    // The correction leaves f as it is, since it changes eps as l says.
    const f = sum([b / a, eps], [-integrals.l[position] / a, x]);
    const points = Array.from({ length: j + 1 }, (_, back) => ({
      position: positions[j - back],
      f: back === 0 ? f : earlier(back),
    }));
    const k = j === 0 ? 1 : orderAt(j - 1) + (correctsPseudo ? 1 : 0);
    const isOpen = corrector === true || (corrector === 'half' && position < middle);
    const [here, previous, ...others] = points;
    const sample =
      k > 1 && isOpen
        ? move(integrals, quantity('last'), [previous, here, ...others].slice(0, k), position, correctsPseudo)
        : x;
    const used = points.slice(0, orderAt(j));
    return {
      next: move(integrals, sample, used, positions[j + 1], predictsPseudo),
      memory: { ...remember(remembered, j, f), ...(corrector !== false && { last: sample }) },
      startSlot: 'last',
    };
  });
}

/**
 * Returns the sample at position q (equation of the predictor, section 3.2).
 * @param sample at the first point; the other points give the derivatives.
 */
function move(
  integrals: Integrals,
  sample: Form,
  points: readonly Point[],
  q: number,
  pseudo: boolean,
): Form {
  const { lambdas, sumL, sumS, sumGrowth, sumBias, sumBoth } = integrals;
  const [{ position: p }] = points;
  const from = signal(lambdas[p]);
  const to = signal(lambdas[q]);
  const g = points.map(({ position: i, f }) =>
    sum([Math.exp(sumS[p] - sumS[i]), f], [-Math.exp(sumS[p]) * (sumBias[i] - sumBias[p]), one]),
  );
  const decay = Math.exp(sumL[p] - sumL[q]);
  const span = sumGrowth[q] - sumGrowth[p];
  const constant = Math.exp(-sumL[q]) * (sumBoth[q] - sumBoth[p] - sumBias[p] * span);
  const places = points.map(({ position }) => lambdas[position]);
  const slopes = pseudo ? dividedDifferences(places, g) : derivatives(places, g);
  return sum(
    [(to / from) * decay, sample],
    [-to * Math.exp(-sumL[q] - sumS[p]) * span, g[0]],
    [-to * constant, one],
    ...slopes.map((slope, i) => [-to * decay * moment(integrals, p, q, i + 1), slope] as const),
  );
}

/** Returns a at this lambda. */
function signal(lambda: number): number {
  return 1 / Math.sqrt(1 + Math.exp(-2 * lambda));
}

/** Returns the integral from p to q of exp(L + S), 1 at p, times (lambda - lambda_p)^m / m!. */
function moment({ lambdas, sumL, sumS }: Integrals, p: number, q: number, m: number): number {
  const places = lambdas.slice(p, q + 1);
  const values = places.map((lambda, i) => {
    const growth = Math.exp(sumL[p + i] + sumS[p + i] - sumL[p] - sumS[p]);
    return (growth * (lambda - lambdas[p]) ** m) / factorial(m);
  });
  return trapezoids(places, values)[places.length - 1];
}

/** Returns the derivatives at the first place, of order 1 and up, of the Taylor polynomial through all values. */
function derivatives(places: readonly number[], [first, ...values]: readonly Form[]): readonly Form[] {
  const powers = values.map((_, i) =>
    values.map((_, m) => (places[i + 1] - places[0]) ** (m + 1) / factorial(m + 1)),
  );
  // Solved for each value alone: the derivatives are linear in the values.
  const weights = values.map((_, i) =>
    solveLinearSystem(
      powers,
      values.map((_, row) => (row === i ? 1 : 0)),
    ),
  );
  return values.map((_, m) =>
    sum(...values.flatMap((value, i) => [[weights[i][m], value] as const, [-weights[i][m], first] as const])),
  );
}

/** Returns m! times the divided difference over the first m + 1 values, for m from 1. */
function dividedDifferences(places: readonly number[], values: readonly Form[]): readonly Form[] {
  const slopes: Form[] = [];
  let row = values;
  for (let m = 1; m < values.length; m++) {
    const below = row;
    row = below.slice(1).map((next, j) => {
      const distance = places[j] - places[j + m];
      return sum([1 / distance, below[j]], [-1 / distance, next]);
    });
    slopes.push(sum([factorial(m), row[0]]));
  }
  return slopes;
}

function factorial(n: number): number {
  return n <= 1 ? 1 : n * factorial(n - 1);
}
