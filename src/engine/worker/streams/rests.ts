/** A call that takes at least this long, with its pictures, counts as long. */
export const longMs = 250;
/** Largest share of their frames that other streams may lose to long calls; under load they lose a few more. */
const maxLostShare = 0.15;

/**
 * Spaces out long calls (large pictures on a slow device), which cannot be interrupted. Without a rest, the next long
 * call would begin as soon as each other stream had one frame, and they would get one frame per long call. All streams
 * with long calls share one rest: with separate rests, several long calls could follow each other directly.
 */
export class Rests {
  /** End of the rest, by `performance.now()`. */
  #until = -Infinity;

  /**
   * Begins a rest after a long call of `ms`, in which another stream that sends a frame every `interval` milliseconds
   * lost all its frames but one. The rest lasts until that is at most `maxLostShare` of its frames.
   * @param interval of the fastest stream with short calls; Infinity if there is none.
   */
  begin({ ms, interval, now }: { ms: number; interval: number; now: number }): void {
    const rest = (ms - interval) / maxLostShare - ms;
    if (rest > 0) this.#until = Math.max(this.#until, now + rest);
  }

  /** Returns the milliseconds left of the rest; 0 if there is none. */
  left(now: number): number {
    return Math.max(0, this.#until - now);
  }
}
