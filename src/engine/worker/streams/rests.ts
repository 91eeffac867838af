/** Milliseconds from which a call, with its pictures, holds up the other streams for long. */
export const longMs = 250;
/** What others may lose of their frames by long calls. */
const mostLost = 0.2;

/**
 * Keeps long calls apart, which nothing can interrupt: large pictures on a slow device. Without a rest the next such
 * call would begin as soon as the other streams had one frame each, and they would get one frame a call. It is one
 * rest for all streams with long calls: if each had its own, several of them could follow one another at once.
 */
export class Rests {
  /** Until when the rest lasts, by `performance.now()`. */
  #until = -Infinity;

  /**
   * A long call has ended. In its time, `ms`, another stream that sends a frame each `interval` milliseconds lost all
   * but one of its frames; the rest is as long as it takes until that is at most a fifth of them.
   * @param interval that of the quickest stream whose calls are short; Infinity if there is none.
   */
  begin({ ms, interval, now }: { ms: number; interval: number; now: number }): void {
    const rest = (ms - interval) / mostLost - ms;
    if (rest > 0) this.#until = Math.max(this.#until, now + rest);
  }

  /** Returns how many milliseconds of the rest are left; 0 if there is none. */
  left(now: number): number {
    return Math.max(0, this.#until - now);
  }
}
