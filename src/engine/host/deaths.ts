/** After more deaths than this within the window, the worker is not restarted. */
const mostDeaths = 5;
const windowMs = 60_000;

/**
 * The deaths of an engine's workers, one after another. Only time in which they were ready counts: one that needs a
 * minute to start and dies at its first frame dies as often as one that starts at once.
 */
export class Deaths {
  /** Milliseconds that all workers were ready, until the last one died. */
  #readyMs = 0;
  /** By `performance.now()`; null while none is ready. */
  #readyAt: number | null = null;
  /** The latest, by how long workers had been ready until then. */
  #recent: readonly number[] = [];

  /** How many there were within the window, at the last one. */
  get count(): number {
    return this.#recent.length;
  }

  /** Whether there were too many for another start. */
  get tooMany(): boolean {
    return this.count > mostDeaths;
  }

  workerReady(): void {
    this.#readyAt = performance.now();
  }

  workerDied(): void {
    if (this.#readyAt !== null) this.#readyMs += performance.now() - this.#readyAt;
    this.#readyAt = null;
    const now = this.#readyMs;
    this.#recent = [...this.#recent.filter((time) => now - time < windowMs), now];
  }
}
