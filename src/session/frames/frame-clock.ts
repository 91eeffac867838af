import { longestTimer } from '../time/deadline.js';

export interface FrameClockOptions {
  /** Whether a frame may be created now. When the answer may have changed, call `poke`. */
  readonly open: () => boolean;
  /** Creates a frame; `admitted` or `lost` follows for it. */
  readonly tick: () => void;
}

/** Milliseconds until the next attempt after a frame was lost, as when the engine restarts. */
const retryDelayMs = 100;

/** Creates frames if the client sends none (txt2img): one at a time, at a rate or as fast as the engine takes them. */
export class FrameClock {
  readonly #options: FrameClockOptions;
  /** Milliseconds between frames; 0 for as fast as possible, null for none. */
  #intervalMs: number | null = null;
  #dueAt = 0;
  #waiting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FrameClockOptions) {
    this.#options = options;
  }

  /** @param fps frames per second; 0 for as fast as possible. */
  start(fps: number): void {
    const intervalMs = fps === 0 ? 0 : 1000 / fps;
    if (intervalMs !== this.#intervalMs) this.#dueAt = performance.now();
    this.#intervalMs = intervalMs;
    this.poke();
  }

  /** Creates no more frames until it is started again. May be called twice. */
  stop(): void {
    this.#intervalMs = null;
    clearTimeout(this.#timer);
  }

  /** Notes that the engine has begun to work on the frame. */
  admitted(): void {
    this.#waiting = false;
    this.poke();
  }

  /** Notes that the frame was lost. */
  lost(): void {
    this.#waiting = false;
    this.#dueAt = performance.now() + retryDelayMs;
    this.poke();
  }

  /** Creates a frame if it is time, none waits, and the gate is open. */
  poke(): void {
    clearTimeout(this.#timer);
    if (this.#intervalMs === null || this.#waiting || !this.#options.open()) return;
    const now = performance.now();
    if (now < this.#dueAt) {
      this.#timer = setTimeout(() => this.poke(), Math.min(this.#dueAt - now, longestTimer));
      return;
    }
    // Missed frames are not made up for.
    this.#dueAt = Math.max(this.#dueAt + this.#intervalMs, now);
    this.#waiting = true;
    this.#options.tick();
  }
}
