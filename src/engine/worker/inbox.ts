import type { ToWorker } from '../messages.js';

/** Messages that the loop has not handled yet. */
export class Inbox {
  readonly #messages: ToWorker[] = [];
  #wake: () => void = () => {};

  /** Whether a `stop` message has arrived. */
  get stops(): boolean {
    return this.#messages.some(({ type }) => type === 'stop');
  }

  put(message: ToWorker): void {
    this.#messages.push(message);
    this.#wake();
  }

  take(): readonly ToWorker[] {
    return this.#messages.splice(0);
  }

  /** Waits for a message, at most `ms` milliseconds. */
  async filled(ms: number): Promise<void> {
    if (this.#messages.length > 0) return;
    let timer: NodeJS.Timeout | undefined;
    await new Promise<void>((resolve) => {
      this.#wake = resolve;
      if (ms < Infinity) timer = setTimeout(resolve, ms);
    });
    clearTimeout(timer);
  }
}
