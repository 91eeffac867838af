/** Work that was done. */
export interface Work {
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Milliseconds that it should have taken. */
  readonly expectedMs: number;
}

/** Work that weighs as much as all before it, in milliseconds: what passes sooner does not count. */
const memoryMs = 10_000;
/** Smaller changes are not told: what follows from them would go back and forth. */
const deadband = 0.1;
/** What is outside of these is no speed but a stall, or work that was not done. */
const range = [0.25, 4] as const;

/** How much longer work takes than calibration says: measured while there is work, smoothed, and steady. */
export class Slowdown {
  #ms = memoryMs;
  #expectedMs = memoryMs;
  #factor = 1;

  /** 1: as calibration says; 2: everything takes twice as long; less than 1 where calibration was disturbed. */
  get factor(): number {
    return this.#factor;
  }

  /** Takes work into account. @returns whether the factor has changed. */
  observe({ ms, expectedMs }: Work): boolean {
    const [least, most] = range;
    const taken = Math.min(most * expectedMs, Math.max(least * expectedMs, ms));
    const kept = Math.exp(-taken / memoryMs);
    this.#ms = this.#ms * kept + taken;
    this.#expectedMs = this.#expectedMs * kept + expectedMs;
    const now = this.#ms / this.#expectedMs;
    if (Math.abs(now / this.#factor - 1) < deadband) return false;
    this.#factor = now;
    return true;
  }
}
