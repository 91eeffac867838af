const first = 250;
/** While a server that is only restarted may be back any moment. */
const longestAtFirst = 2000;
const longest = 8000;
const firstTime = 30_000;

/**
 * Pauses between tries that grow: exponential backoff with full jitter, so that the many clients of a server that
 * went away do not all come at once.
 */
export class Backoff {
  readonly #begun = performance.now();
  #attempt = 0;
  #end: () => void = () => {};

  /**
   * Waits before the next try.
   * @param least milliseconds that the server asked for.
   * @param most milliseconds that are left.
   * @throws the reason of `signal` (as rejection) as soon as it is aborted.
   */
  async pause(signal: AbortSignal, { least = 0, most = Infinity } = {}): Promise<void> {
    signal.throwIfAborted();
    const longestNow = performance.now() - this.#begun < firstTime ? longestAtFirst : longest;
    const random = Math.random() * Math.min(longestNow, first * 2 ** this.#attempt);
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
