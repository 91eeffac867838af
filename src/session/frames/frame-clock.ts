import { longestTimer } from '../time/deadline.js';

export interface FrameClockOptions {
  /** Whether a frame may be made now. When the answer may have changed, call `poke`. */
  readonly open: () => boolean;
  /** Makes a frame; `entered` or `lost` follows for it. */
  readonly tick: () => void;
}

/** After a frame was lost (the engine is being restarted, say), milliseconds until the next is tried. */
const retryDelay = 100;

/**
 * Where frames come from when the client sends none (txt2img): one at a time, at a rate or as fast as they
 * are taken.
 */
export class FrameClock {
  readonly #options: FrameClockOptions;
  /** Milliseconds from frame to frame; 0 as fast as it goes; null makes none. */
  #interval: number | null = null;
  #due = 0;
  #waiting = false;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: FrameClockOptions) {
    this.#options = options;
  }

  /** @param fps frames a second; 0 as fast as it goes. */
  start(fps: number): void {
    const interval = fps === 0 ? 0 : 1000 / fps;
    if (interval !== this.#interval) this.#due = performance.now();
    this.#interval = interval;
    this.poke();
  }

  /** Makes no more frames until it is started again. May be called twice. */
  stop(): void {
    this.#interval = null;
    clearTimeout(this.#timer);
  }

  /** The frame that was made is being worked on. */
  entered(): void {
    this.#waiting = false;
    this.poke();
  }

  /** The frame that was made came to nothing. */
  lost(): void {
    this.#waiting = false;
    this.#due = performance.now() + retryDelay;
    this.poke();
  }

  /** Makes a frame if it is time, none waits, and the gate is open. */
  poke(): void {
    clearTimeout(this.#timer);
    if (this.#interval === null || this.#waiting || !this.#options.open()) return;
    const now = performance.now();
    if (now < this.#due) {
      this.#timer = setTimeout(() => this.poke(), Math.min(this.#due - now, longestTimer));
      return;
    }
    // What was missed is not caught up with.
    this.#due = Math.max(this.#due + this.#interval, now);
    this.#waiting = true;
    this.#options.tick();
  }
}
