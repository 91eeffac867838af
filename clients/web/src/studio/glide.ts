import { signal } from '@preact/signals';

const stepMs = 100;

/** Moves a number from one value to another in a given time. A later movement replaces it. */
export class Glide {
  readonly running = signal(false);
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param show receives the numbers on the way; the last one is `to`. */
  start(from: number, to: number, seconds: number, show: (value: number) => void): void {
    this.stop();
    const startedAt = performance.now();
    const step = (): void => {
      const share = seconds <= 0 ? 1 : Math.min(1, (performance.now() - startedAt) / 1000 / seconds);
      if (share === 1) this.stop();
      show(from + (to - from) * share);
    };
    this.running.value = true;
    this.#timer = setInterval(step, stepMs);
    step();
  }

  stop(): void {
    clearInterval(this.#timer);
    this.running.value = false;
  }
}
