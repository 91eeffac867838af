/** Milliseconds from which a call, with its pictures, holds up the other streams for long. */
export const longMs = 250;
/** What others may lose of their frames by long calls. */
const mostLost = 0.2;

/**
 * Has an account rest after a long call, which nothing can interrupt: large pictures on a slow device. Without it, the
 * next such call would begin as soon as the others had one frame each, and they would get one frame a call.
 */
export class Rests {
  /** By account, until when by `performance.now()`. */
  readonly #until = new Map<string, number>();

  /** Returns whether the account rests. */
  includes(account: string, now: number): boolean {
    return now < (this.#until.get(account) ?? -Infinity);
  }

  /**
   * A call has ended. In its time, `ms`, another stream that sends a frame each `interval` milliseconds lost all but
   * one of its frames; the rest is as long as it takes until that is at most a fifth of them.
   * @param interval returns that of the quickest other stream, Infinity if there is none; asked after long calls only.
   */
  begin(
    accounts: Iterable<string>,
    { ms, interval, now }: { ms: number; interval: () => number; now: number },
  ): void {
    if (ms < longMs) return;
    const rest = (ms - interval()) / mostLost - ms;
    if (!(rest > 0)) return;
    for (const account of accounts) this.#until.set(account, now + rest);
  }

  /**
   * Returns how many milliseconds it is until the next rest is over; Infinity if nobody rests. Forgets rests that are
   * over, those too whose stream was closed meanwhile: nothing else asks for them again.
   */
  wait(now: number): number {
    let least = Infinity;
    for (const [account, until] of this.#until) {
      if (until > now) least = Math.min(least, until - now);
      else this.#until.delete(account);
    }
    return least;
  }
}
