/** Calls shorter than this hold up nobody for long, in milliseconds. */
const longMs = 250;
/** What others may lose of their frames by long calls. */
const mostLost = 0.2;

/**
 * Has an account rest after a long call, which nothing can interrupt: large pictures on a slow device. Without it, the
 * next such call would begin as soon as the others had one frame each, and they would get one frame a call.
 */
export class Rests {
  /** By account, until when by `performance.now()`. */
  readonly #until = new Map<string, number>();

  /** Returns whether the account rests, and forgets rests that are over. */
  includes(account: string, now: number): boolean {
    const until = this.#until.get(account);
    if (until === undefined) return false;
    if (now < until) return true;
    this.#until.delete(account);
    return false;
  }

  /**
   * A call has ended. In its time, `ms`, another stream that sends a frame each `interval` milliseconds lost all but
   * one of its frames; the rest is as long as it takes until that is at most a fifth of them.
   * @param interval of the quickest other stream; Infinity if there is none.
   */
  begin(
    accounts: Iterable<string>,
    { ms, interval, now }: { ms: number; interval: number; now: number },
  ): void {
    const rest = (ms - interval) / mostLost - ms;
    if (ms < longMs || !(rest > 0)) return;
    for (const account of accounts) this.#until.set(account, now + rest);
  }

  /** Returns how many milliseconds it is until the next rest is over; Infinity if nobody rests. */
  wait(now: number): number {
    return Math.min(Infinity, ...[...this.#until.values()].map((until) => Math.max(0, until - now)));
  }
}
