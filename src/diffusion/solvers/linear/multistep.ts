import type { SchedulerConfig } from '../../schedule.js';
import { quantity, type Form } from './forms.js';
import { SolverError, type SolverOptions } from '../../solver-options.js';
import type { SigmaPath } from '../paths/sigmas.js';

/** With fewer steps than this, multistep solvers lower their order at the end (diffusers: `lower_order_final`). */
const fewSteps = 15;

/**
 * Returns the order of the step from this index of the path: at most the number of model outputs so far, lowered at the
 * end if there are few steps. A last step to sigma 0 is of first order.
 */
export function stepOrder(order: number, path: SigmaPath, config: SchedulerConfig, index: number): number {
  const remaining = path.timesteps.length - index;
  const lowered = (config.lower_order_final ?? true) && path.steps < fewSteps;
  let highest = Math.min(order, index + 1);
  if (lowered) highest = Math.min(highest, remaining);
  if (remaining === 1 && path.sigmas[index + 1] === 0) highest = 1;
  return highest;
}

/** @throws {SolverError} if the order is above 3, the highest of most solvers. */
export function orderUpTo3({ solver, solver_order: order }: SolverOptions): 1 | 2 | 3 {
  if (order <= 3) return order as 1 | 2 | 3;
  throw new SolverError('solver_order', `must be 1, 2 or 3 for ${solver}, not ${order}`);
}

/** Adams-Bashforth weights of the last outputs, newest first, for 1 to 4 outputs (Liu et al. 2022, equation 12). */
export const adamsBashforth: readonly (readonly number[])[] = [
  [1],
  [3 / 2, -1 / 2],
  [23 / 12, -16 / 12, 5 / 12],
  [55 / 24, -59 / 24, 37 / 24, -9 / 24],
];

/** Returns the model output of an earlier step: `earlier(1)` is that of the previous step. */
export function earlier(steps: number): Form {
  return quantity(`m${steps}`);
}

/** Returns the memory of the last `count` model outputs, with that at this index of the path. */
export function remember(count: number, index: number, output: Form): Readonly<Record<string, Form>> {
  const memory: Record<string, Form> = {};
  for (let steps = 1; steps <= Math.min(count, index + 1); steps++) {
    memory[`m${steps}`] = steps === 1 ? output : earlier(steps - 1);
  }
  return memory;
}
