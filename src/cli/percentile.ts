/** Nearest rank. @param sorted rising. @param share above 0, at most 1. @returns 0 where there is nothing. */
export function percentile(sorted: readonly number[], share: number): number {
  return sorted[Math.ceil(sorted.length * share) - 1] ?? 0;
}
