/** Longest time that a timer of the runtime can be set to, in milliseconds; set to more, it rings at once. */
export const longestTimer = 2 ** 31 - 1;

/** A point in time at which something happens, unless it is set again or cleared before. */
export class Deadline {
  readonly #onPassed: () => void;
  #timer: NodeJS.Timeout | undefined;

  constructor(onPassed: () => void) {
    this.#onPassed = onPassed;
  }

  /** @param ms milliseconds from now; beyond 24 days it never comes. */
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
