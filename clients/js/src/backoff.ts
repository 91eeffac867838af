const firstMs = 250;
/** Limit during the first half minute, when a server that restarts may return at any moment. */
const earlyLimitMs = 2000;
const limitMs = 8000;
const earlyPhaseMs = 30_000;

/**
 * Growing pauses between attempts: exponential backoff with full jitter, so that the many clients of a server that
 * went away do not all return at once.
 */
export class Backoff {
  readonly #begun = performance.now();
  #attempt = 0;
  #end: () => void = () => {};

  /**
   * Waits before the next attempt.
   * @param least milliseconds that the server asked for.
   * @param most remaining milliseconds.
   * @throws the reason of `signal` (as rejection) as soon as it is aborted.
   */
  async pause(signal: AbortSignal, { least = 0, most = Infinity } = {}): Promise<void> {
    signal.throwIfAborted();
    const limit = performance.now() - this.#begun < earlyPhaseMs ? earlyLimitMs : limitMs;
    const random = Math.random() * Math.min(limit, firstMs * 2 ** this.#attempt);
    const time = Math.min(most, Math.max(least, random));
    this.#attempt += 1;
    await new Promise<void>((resolve) => {
      const end = (): void => {
        clearTimeout(timer);
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = setTimeout(end, time);
      signal.addEventListener('abort', end);
      this.#end = end;
    });
    signal.throwIfAborted();
  }

  /** Ends the pause now. */
  hurry(): void {
    this.#end();
  }
}
