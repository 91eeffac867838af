/** Returns a percentile by nearest rank. @param sorted ascending. @param share above 0, at most 1. @returns 0 without values. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
