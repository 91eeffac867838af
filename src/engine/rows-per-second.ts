import type { CostCurve } from './messages.js';

/** Rows of U-Net calls that a device can do in a second, with calls of the best size within the budget. */
export function rowsPerSecond({
  costs,
  rowBudget,
}: {
  readonly costs: CostCurve;
  readonly rowBudget: number;
}): number {
  const rates = costs.filter(({ rows }) => rows <= rowBudget).map(({ rows, ms }) => (rows / ms) * 1000);
  return Math.max(0, ...rates);
}
