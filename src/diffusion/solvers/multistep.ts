import type { SchedulerConfig } from '../schedule.js';
import { quantity, type Form } from './forms.js';
import type { SigmaPath } from './sigmas.js';

/** Below this many steps, multistep solvers lower their order towards the end (diffusers: `lower_order_final`). */
const fewSteps = 15;

/**
 * Order of the step from the path's index: no higher than there are model outputs, and lowered at the end where
 * steps are few. The very last step is of first order where it leads to no noise at all.
 */
export function stepOrder(order: number, path: SigmaPath, config: SchedulerConfig, index: number): number {
  const remaining = path.timesteps.length - index;
  const lowered = (config.lower_order_final ?? true) && path.steps < fewSteps;
  let highest = Math.min(order, index + 1);
  if (lowered) highest = Math.min(highest, remaining);
  if (remaining === 1 && path.sigmas[index + 1] === 0) highest = 1;
  return highest;
}

/** Model outputs of earlier steps: `earlier(1)` is that of the step before. */
export function earlier(steps: number): Form {
  return quantity(`m${steps}`);
}

/** Remembers the model output of the path's index, and up to `count` in all. */
export function remember(count: number, index: number, output: Form): Readonly<Record<string, Form>> {
  const memory: Record<string, Form> = {};
  for (let steps = 1; steps <= Math.min(count, index + 1); steps++) {
    memory[`m${steps}`] = steps === 1 ? output : earlier(steps - 1);
  }
  return memory;
}
