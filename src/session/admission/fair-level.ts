/**
 * The level up to which everybody gets what it needs when there is not enough for all (max-min fairness; Bertsekas and
 * Gallager, Data Networks, section 6.5.2): whoever needs less than the level has it all, the others have the level.
 * @param needs at least 0 each.
 * @returns Infinity where there is enough.
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
