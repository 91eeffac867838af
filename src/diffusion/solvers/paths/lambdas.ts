import type { NoiseSchedule } from '../../schedule.js';
import type { Stage } from '../../types.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';
import { indexOfValue, valueAt } from './interpolation.js';
import { selectPositions } from './timesteps.js';

/** Stages at some of many evenly spaced values of lambda = log(a / b). */
export interface LambdaPath {
  readonly stages: readonly Stage[];
  /** From the last training timestep to timestep 0. */
  readonly lambdas: readonly number[];
  /** Positions of the stages among the values of lambda, and of the end. */
  readonly positions: readonly number[];
  /** The first position in the less noisy half of the timesteps. */
  readonly middle: number;
}

interface LambdaGrid {
  /** Number of intervals between the values of lambda. */
  readonly intervals: number;
  /** In what the steps of a schedule are even. */
  readonly even: 'time' | 'lambda';
}

/** @throws {SolverError} if there are more steps than distinct values of lambda. */
export function lambdaPath(
  { alphasCumprod }: NoiseSchedule,
  options: SolverOptions,
  { intervals, even }: LambdaGrid,
): LambdaPath {
  const { num_inference_steps: steps } = options;
  const { positions: chosen } = selectPositions(options, alphasCumprod.length);
  const logA = Array.from(alphasCumprod, (abar) => Math.log(abar) / 2);
  const rising = logA.map((value) => -value);
  const last = logA.length - 1;
  const [noisy, clean] = [lambdaOf(logA[last]), lambdaOf(logA[0])];
  const lambdas = Array.from({ length: intervals + 1 }, (_, j) => noisy + (j * (clean - noisy)) / intervals);
  const ends = Array.from({ length: steps + 1 }, (_, i) => {
    if (even === 'lambda') return Math.round((intervals * i) / steps);
    const lambda = lambdaOf(valueAt(logA, last * (1 - i / steps)));
    return Math.round((intervals * (lambda - noisy)) / (clean - noisy));
  });
  if (ends.some((position, i) => i > 0 && position <= ends[i - 1])) {
    throw new SolverError(
      'num_inference_steps',
      `must give distinct steps with the statistics of the model, which have ${intervals} intervals; ${steps} does not`,
    );
  }
  const positions = [...chosen.map((i) => ends[i]), intervals];
  const all = lambdas.map((lambda) => stageOfLambda(lambda, rising));
  return {
    stages: positions.slice(0, -1).map((position) => all[position]),
    lambdas,
    positions,
    middle: all.findIndex(({ timestep }) => timestep + 1 <= logA.length / 2),
  };
}

/**
 * Returns the stage at a value of lambda.
 * @param rising -log(a) of each training timestep.
 */
export function stageOfLambda(lambda: number, rising: readonly number[]): Stage {
  const a = 1 / Math.sqrt(1 + Math.exp(-2 * lambda));
  return { timestep: indexOfValue(rising, -Math.log(a)), a, b: Math.sqrt(1 - a * a), inputScale: 1 };
}

/** Returns lambda = log(a / b) by log(a). */
export function lambdaOf(logA: number): number {
  return logA - Math.log(-Math.expm1(2 * logA)) / 2;
}
