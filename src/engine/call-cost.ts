import type { CostCurve } from './messages.js';

/**
 * Milliseconds of a U-Net call with this many rows: measured, between measured sizes linear, beyond the largest
 * in proportion.
 */
export function cost(curve: CostCurve, rows: number): number {
  const above = curve.findIndex((point) => point.rows >= rows);
  const high = curve[above < 0 ? curve.length - 1 : above];
  if (high === undefined) throw new RangeError('the cost curve is empty');
  const low = curve[above - 1];
  if (above < 0 || low === undefined) return (high.ms * rows) / high.rows;
  return low.ms + ((high.ms - low.ms) * (rows - low.rows)) / (high.rows - low.rows);
}
