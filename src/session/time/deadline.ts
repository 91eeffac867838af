/** Longest delay of a timer in Node.js, in milliseconds; a longer one fires at once. */
export const longestTimer = 2 ** 31 - 1;

/** Calls a function at a point in time, unless it is set again or cleared before. */
export class Deadline {
  readonly #onPassed: () => void;
  readonly #gone: AbortSignal;
  #timer: NodeJS.Timeout | undefined;

  /** @param gone the deadline never passes once this has aborted. */
  constructor(onPassed: () => void, gone: AbortSignal) {
    this.#onPassed = onPassed;
    this.#gone = gone;
    gone.addEventListener('abort', () => this.clear());
  }

  /** @param ms milliseconds from now; more than 24 days is never. */
  set(ms: number): void {
    clearTimeout(this.#timer);
    if (ms > longestTimer || this.#gone.aborted) return;
    this.#timer = setTimeout(this.#onPassed, ms);
  }

  /** May be called twice. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
