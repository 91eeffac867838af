/** Finished work. */
export interface FinishedWork {
  /** Milliseconds that it took. */
  readonly ms: number;
  /** Milliseconds that it should have taken. */
  readonly expectedMs: number;
}

/** Time constant of the smoothing, in milliseconds of work: shorter disturbances do not count. */
const memoryMs = 10_000;
/** Smaller changes are not reported: decisions that depend on them would oscillate. */
const deadband = 0.1;
/** Ratios outside this range are not a speed, but a stall or work that was not done. */
const range = [0.25, 4] as const;

/** Measures how much longer work takes than calibration predicted; smooths it. */
export class Slowdown {
  #ms = memoryMs;
  #expectedMs = memoryMs;
  #factor = 1;

  /** 1: as calibrated; 2: everything takes twice as long; below 1 if calibration was disturbed. */
  get factor(): number {
    return this.#factor;
  }

  /** Takes work into account. @returns whether the factor has changed. */
  observe({ ms, expectedMs }: FinishedWork): boolean {
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
