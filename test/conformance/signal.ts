/** Notifies those that wait for a growing list to look again. */
export class Signal {
  readonly #waiting: (() => void)[] = [];

  notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /**
   * Waits for the first value of `find` that is not undefined; it is called at each change.
   * @param what the awaited thing, for the error.
   * @throws {Error} (as rejection) after `seconds`.
   */
  async until<Value>(what: string, find: () => Value | undefined, seconds = 20): Promise<Value> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.notify();
    }, seconds * 1000);
    try {
      for (;;) {
        const value = find();
        if (value !== undefined) return value;
        if (late) throw new Error(`waited ${seconds} s for ${what}, which did not happen`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
