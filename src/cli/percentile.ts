/**
 * Returns a percentile by nearest rank; 0 without values.
 * @param sorted ascending. @param share above 0, at most 1.
 */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
