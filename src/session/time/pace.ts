import { longestTimer } from './deadline.js';

/** Holds events to a rate: each may happen when the one before is an interval ago. */
export class Pace {
  readonly #poke: () => void;
  #interval = 0;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param poke is called when an event that had to wait may happen. */
  constructor(poke: () => void) {
    this.#poke = poke;
  }

  /** @param fps events a second; null holds back none. */
  limit(fps: number | null): void {
    this.#interval = fps === null ? 0 : 1000 / fps;
    this.#due = Math.min(this.#due, performance.now() + this.#interval);
    this.#later(0);
  }

  /** Whether an event may happen now; if not, `poke` follows. */
  get open(): boolean {
    const wait = this.#due - performance.now();
    if (wait <= 0) return true;
    this.#later(wait);
    return false;
  }

  /** An event happens. */
  take(): void {
    const now = performance.now();
    // A timer that was a little late does not lower the rate; what was missed beyond that is not caught up with.
    this.#due = Math.max(this.#due, now - this.#interval / 4) + this.#interval;
  }

  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  #later(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#poke, Math.min(ms, longestTimer));
  }
}
