import { longestTimer } from './deadline.js';

/** Limits the rate of events: each must be an interval after the one before. */
export class Pace {
  readonly #poke: () => void;
  #intervalMs = 0;
  #dueAt = 0;
  #timer: NodeJS.Timeout | undefined;

  /** @param poke is called when an event that had to wait may happen. */
  constructor(poke: () => void) {
    this.#poke = poke;
  }

  /** @param fps events per second; null for no limit. */
  limit(fps: number | null): void {
    this.#intervalMs = fps === null ? 0 : 1000 / fps;
    this.#dueAt = Math.min(this.#dueAt, performance.now() + this.#intervalMs);
    this.#later(0);
  }

  /** Returns whether an event may happen now; if not, `poke` follows. */
  check(): boolean {
    const waitMs = this.#dueAt - performance.now();
    if (waitMs <= 0) return true;
    this.#later(waitMs);
    return false;
  }

  /** Counts an event. */
  take(): void {
    const now = performance.now();
    // A slightly late timer does not lower the rate; events missed beyond that are not made up for.
    this.#dueAt = Math.max(this.#dueAt, now - this.#intervalMs / 4) + this.#intervalMs;
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
