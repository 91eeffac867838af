import { signal } from '@preact/signals';

/** A longer pause begins a new count. */
const longestBeatMs = 2000;
const shortestBeatMs = 200;
const mostTaps = 9;

/** The beat that the user taps. */
export class Tempo {
  /** Beats per minute. */
  readonly perMinute = signal(120);
  #taps: number[] = [];

  /** Takes note of a beat. @param now milliseconds of `performance.now`. */
  tap(now = performance.now()): void {
    const last = this.#taps.at(-1);
    if (last !== undefined && now - last < shortestBeatMs) return;
    if (last !== undefined && now - last > longestBeatMs) this.#taps = [];
    this.#taps = [...this.#taps, now].slice(-mostTaps);
    const [first = now] = this.#taps;
    const beats = this.#taps.length - 1;
    if (beats > 0) this.perMinute.value = Math.round((60_000 * beats * 10) / (now - first)) / 10;
  }

  /** Returns a pulse: 1 at each beat, and less and less until the next. */
  pulse(now = performance.now()): number {
    const beatMs = 60_000 / this.perMinute.peek();
    const since = (now - (this.#taps.at(-1) ?? 0)) / beatMs;
    return 1 - (since - Math.floor(since));
  }
}
