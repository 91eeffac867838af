/** The interval is the median of this many. */
const maxIntervals = 8;
/** A stream is idle after this many milliseconds without a frame, or after several intervals if that is longer. */
const quietMs = 1000;
const quietIntervals = 4;

/** Measures how often frames of a stream arrive. */
export class Arrivals {
  #last = -Infinity;
  #intervals: readonly number[] = [];

  note(now: number): void {
    if (this.#last > -Infinity) this.#intervals = [...this.#intervals, now - this.#last].slice(-maxIntervals);
    this.#last = now;
  }

  /** Returns the median milliseconds between frames; Infinity if the stream is idle. */
  interval(now: number): number {
    const sorted = this.#intervals.toSorted((a, b) => a - b);
    const usual = sorted[Math.floor(sorted.length / 2)] ?? Infinity;
    return now - this.#last > Math.max(quietMs, quietIntervals * Math.min(usual, 60_000)) ? Infinity : usual;
  }
}
