import { cost } from '../call-cost.js';
import type { CostCurve } from '../messages.js';

/** The smallest call whose cost per row is within 5% of the best: larger ones only add waiting. */
export function rowBudget(curve: CostCurve): number {
  const best = Math.min(...curve.map(({ rows, ms }) => ms / rows));
  return curve.find(({ rows, ms }) => ms / rows <= best * 1.05)?.rows ?? 1;
}

/**
 * What `denoise: auto` means for frames of n steps: the stream batch where it gives more frames a second by at
 * least a tenth, since it costs n - 1 frames of latency. (On CPUs a call of n rows costs about n calls.)
 * @param rowsPerStep 2 where each step has a negative row, else 1.
 */
export function preferredDenoise(
  curve: CostCurve,
  steps: number,
  rowsPerStep: number,
): 'stream' | 'sequential' {
  const together = cost(curve, steps * rowsPerStep);
  const oneByOne = steps * cost(curve, rowsPerStep);
  return together < 0.9 * oneByOne ? 'stream' : 'sequential';
}
