/** Mean time between renderings that is slow: screens have 50 or more a second. */
const slowMs = 22;
/** A longer interval, as of a hidden page, says nothing of the rest. */
const longestMs = 100;
const measuredIntervals = 120;
/** Between measurements, since each keeps the browser rendering. */
const pauseMs = 15_000;

/**
 * Measures from time to time how often the browser renders the page, until `onSlow` is called because it seldom does, or
 * until `signal` aborts.
 */
export async function watchRendering(onSlow: () => void, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const meanMs = await measureInterval();
    if (signal.aborted) return;
    if (meanMs > slowMs) return onSlow();
    await new Promise((resolve) => setTimeout(resolve, pauseMs));
  }
}

/** Returns the mean time between renderings, in milliseconds. */
async function measureInterval(): Promise<number> {
  let sum = 0;
  let before = await rendering();
  for (let i = 0; i < measuredIntervals; i += 1) {
    const now = await rendering();
    sum += Math.min(now - before, longestMs);
    before = now;
  }
  return sum / measuredIntervals;
}

function rendering(): Promise<number> {
  return new Promise((resolve) => requestAnimationFrame(resolve));
}
