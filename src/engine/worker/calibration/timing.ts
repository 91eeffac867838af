/** Numbers of rows, and of pictures, whose calls are measured. */
export const usualCounts: readonly number[] = [1, 2, 4, 8];

/** A kept time holds while the machine takes no less than this share of it, and no more than the inverse. */
const tolerance = 0.8;
/** Measurements that decide whether it holds, unless the first one agrees. */
const checks = 3;

export async function msOf(action: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await action();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;
}

/** Returns whether an action still takes about as long as it did, on a machine that may be disturbed for a moment. */
export async function stillTakes(keptMs: number, action: () => Promise<unknown>): Promise<boolean> {
  const holds = (ms: number): boolean => ms >= tolerance * keptMs && ms <= keptMs / tolerance;
  const times = [await msOf(action)];
  if (times.every(holds)) return true;
  while (times.length < checks) times.push(await msOf(action));
  return holds(median(times));
}
