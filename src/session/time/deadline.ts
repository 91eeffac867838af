/** Longest delay of a timer in Node.js, in milliseconds; a longer one fires at once. */
export const longestTimer = 2 ** 31 - 1;

/** Calls a function at a point in time, unless it is set again or cleared before. */
export class Deadline {
  readonly #onPassed: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /** @param ms milliseconds from now; more than 24 days is never. */
  set(ms: number): void {
    clearTimeout(this.#timer);
    if (ms > longestTimer) return;
    this.#timer = setTimeout(this.#onPassed, ms);
  }

  /** May be called twice. */
  clear(): void {
    clearTimeout(this.#timer);
  }
}
