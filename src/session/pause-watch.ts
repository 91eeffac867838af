/** How often it looks, in milliseconds. */
const beatMs = 50;
/** From one look to the next it never takes as long as this where the process runs. */
const pauseMs = 200;

/** When this process last was held up: stopped, swapped out, or kept busy by one thing for long. */
export interface Pauses {
  /** When it went on, by `performance.now()`; what arrived before is old. */
  readonly lastEnd: number;
}

/**
 * Notices that the process was held up. Whoever asks looks too: after a stop, what the network and the engine brought
 * meanwhile is worked on before any timer.
 */
export class PauseWatch implements Pauses, Disposable {
  readonly #timer = setInterval(() => this.#look(), beatMs).unref();
  #lastLook = performance.now();
  #lastEnd = -Infinity;

  get lastEnd(): number {
    this.#look();
    return this.#lastEnd;
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#lastLook > pauseMs) this.#lastEnd = now;
    this.#lastLook = now;
  }
}
