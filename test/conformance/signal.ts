/** Something grows, and whoever waits for it looks again. */
export class Signal {
  readonly #waiting: (() => void)[] = [];

  notify(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }

  /**
   * The first value that is not undefined, looked for at each change.
   * @param what is waited for, for the error.
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
        if (late) throw new Error(`waited ${seconds} s in vain for ${what}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
    } finally {
      clearTimeout(timer);
    }
  }
}
