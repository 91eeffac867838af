import { signal } from '@preact/signals';

/** A longer pause begins a new count. */
const longestBeatMs = 2000;
const shortestBeatMs = 200;
const mostTaps = 9;
/** Length of a wave in beats: two bars. */
const waveBeats = 8;

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
    const beats = this.#beatsAt(now);
    return 1 - (beats - Math.floor(beats));
  }

  /** Returns a wave of two bars: 0 at the last tap, 1 after four beats, 0 after eight. */
  wave(now = performance.now()): number {
    return (1 - Math.cos((2 * Math.PI * this.#beatsAt(now)) / waveBeats)) / 2;
  }

  /** Returns the milliseconds until the next beat. */
  untilBeat(now = performance.now()): number {
    const beats = this.#beatsAt(now);
    return ((Math.ceil(beats) - beats) * 60_000) / this.perMinute.peek();
  }

  /** Returns how many beats have passed since the last tap. */
  #beatsAt(now: number): number {
    return ((now - (this.#taps.at(-1) ?? 0)) * this.perMinute.peek()) / 60_000;
  }
}
