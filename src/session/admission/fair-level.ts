/**
 * Returns the level of max-min fairness (Bertsekas and Gallager, Data Networks, section 6.5.2): claimants that need
 * less get all they need, the others get the level.
 * @param needs at least 0 each.
 * @returns Infinity if there is enough for all.
 */
export function fairLevel(needs: readonly number[], available: number): number {
  let left = available;
  let claimants = needs.length;
  for (const need of [...needs].sort((a, b) => a - b)) {
    const level = left / claimants;
    if (need > level) return level;
    left -= need;
    claimants -= 1;
  }
  return Infinity;
}
