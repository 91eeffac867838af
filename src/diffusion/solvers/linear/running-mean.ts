import { SolverError, type SolverOptions } from '../../solver-options.js';
import { quantity, sum, type Form } from './forms.js';

/** A step along a direction: where it starts, in the scale of its end, plus a factor times the direction. */
export interface DirectedStep {
  readonly next: Form;
  readonly start: Form;
  /** 0: a step of no length, which has no direction. */
  readonly factor: number;
}

/** The running mean of directions. */
export const velocity = quantity('velocity');

/** @throws {SolverError} if the share of the newest direction in the running mean is invalid. */
export function momentumShare({ momentum_beta: beta = 1 }: SolverOptions): number {
  if (beta > 0 && beta <= 1) return beta;
  throw new SolverError('momentum_beta', `must be above 0, up to 1, not ${beta}`);
}

/**
 * Returns a function that replaces the directions of one step after the other by their running mean (heavy ball:
 * Wizadwongsa et al. 2024). The mean starts at the first direction.
 * @param beta share of the newest direction; 1 changes nothing.
 */
export function runningMean(beta: number) {
  let begun = false;
  return (step: DirectedStep): { readonly next: Form; readonly memory: Readonly<Record<string, Form>> } => {
    const { next, start, factor } = step;
    if (beta === 1 || factor === 0) return { next, memory: {} };
    const newest = sum([1 / factor, next], [-1 / factor, start]);
    const direction = begun ? sum([1 - beta, velocity], [beta, newest]) : newest;
    begun = true;
    return { next: sum([1, start], [factor, direction]), memory: { velocity: direction } };
  };
}
