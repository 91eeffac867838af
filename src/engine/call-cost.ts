import type { CostCurve } from './messages.js';

/**
 * Milliseconds of a U-Net call with this many rows: measured, between measured sizes linear, beyond the largest
 * in proportion.
 */
export function cost(curve: CostCurve, rows: number): number {
  const above = curve.findIndex((point) => point.rows >= rows);
  // -1, if there is none above, stands for the last.
  const high = curve.at(above);
  if (high === undefined) throw new RangeError('the cost curve is empty');
  const low = curve[above - 1];
  if (low === undefined) return (high.ms * rows) / high.rows;
  return low.ms + ((high.ms - low.ms) * (rows - low.rows)) / (high.rows - low.rows);
}
