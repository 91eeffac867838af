import { longestTimer } from './deadline.js';

/** Limits the rate of events: each must be an interval after the one before. */
export class Pace {
  readonly #poke: () => void;
  #interval = 0;
  #due = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param poke is called when an event that had to wait may happen. */
  constructor(poke: () => void) {
    this.#poke = poke;
  }

  /** @param fps events per second; null for no limit. */
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

  /** Counts an event. */
  take(): void {
    const now = performance.now();
    // A slightly late timer does not lower the rate; events missed beyond that are not made up for.
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
