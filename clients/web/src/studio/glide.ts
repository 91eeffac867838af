import { signal } from '@preact/signals';

const stepMs = 100;

/** When a movement begins, and how long it takes. */
export interface Timing {
  readonly delayMs: number;
  readonly seconds: number;
}

/** Moves a number from one value to another in a given time. A later movement replaces it. */
export class Glide {
  readonly running = signal(false);
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** @param show receives the numbers on the way; the last one is `to`. */
  start(from: number, to: number, { delayMs, seconds }: Timing, show: (value: number) => void): void {
    this.stop();
    const startedAt = performance.now() + delayMs;
    const step = (): void => {
      const passed = (performance.now() - startedAt) / 1000;
      const share = passed >= seconds ? 1 : passed / seconds;
      if (share === 1) this.stop();
      else this.#timer = setTimeout(step, stepMs);
      show(from + (to - from) * share);
    };
    this.running.value = true;
    if (delayMs === 0) step();
    else this.#timer = setTimeout(step, delayMs);
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.running.value = false;
  }
}
