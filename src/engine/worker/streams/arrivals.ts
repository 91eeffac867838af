/** Intervals from which the usual one is taken. */
const remembered = 8;
/** A stream from which no frame came for this long, in milliseconds, or for several intervals, sends none now. */
const quietMs = 1000;
const quietIntervals = 4;

/** The rate at which frames of a stream arrive. */
export class Arrivals {
  #last = -Infinity;
  #intervals: readonly number[] = [];

  note(now: number): void {
    if (this.#last > -Infinity) this.#intervals = [...this.#intervals, now - this.#last].slice(-remembered);
    this.#last = now;
  }

  /** Returns the usual time from frame to frame in milliseconds; Infinity if none come. */
  interval(now: number): number {
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
    return now - this.#last > Math.max(quietMs, quietIntervals * Math.min(usual, 60_000)) ? Infinity : usual;
  }
}
