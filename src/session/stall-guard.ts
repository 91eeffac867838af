import { Hold } from './hold.js';
import { Lateness } from './lateness.js';
import type { Pauses } from './pause-watch.js';

/** What was shut for more frame intervals than these had a stall before it. */
const stallIntervals = 3;

/**
 * Holds frames and results back after a stall of the client, of the network or of this process (PROTOCOL.md section
 * 5): until something newer than what waited is there, or a moment has passed without. All times are in milliseconds
 * of `performance.now()`; `interval` is the usual time from frame to frame.
 */
export class StallGuard {
  readonly #pauses: Pauses;
  readonly #hold: Hold;
  readonly #lateness = new Lateness();
  /** The pause of this process after which something was held back already. */
  #heldAfter = -Infinity;

  /** @param onEnd is called when the moment has passed. */
  constructor(pauses: Pauses, onEnd: () => void) {
    this.#pauses = pauses;
    this.#hold = new Hold(onEnd);
  }

  get holding(): boolean {
    return this.#hold.active;
  }

  /**
   * A frame arrived.
   * @param lag from its capture; null if the client's clock is not known.
   * @returns whether what was held back is old now.
   */
  frameArrived(lag: number | null, interval: number): boolean {
    if (lag !== null && this.#lateness.isLate(lag, interval)) {
      this.#hold.begin(2 * interval);
      return false;
    }
    const held = this.#hold.active;
    this.#hold.end();
    return held;
  }

  /**
   * The client takes results again.
   * @param shut how long it did not.
   * @param waiting when the frame that waits arrived; null if none does.
   * @returns whether the result that waits is old.
   */
  clientReturned(shut: number, waiting: number | null, interval: number): boolean {
    if (shut <= stallIntervals * interval) return false;
    if (waiting !== null && waiting > performance.now() - interval) return true;
    this.#hold.begin(interval);
    return false;
  }

  /** The engine finished a frame that came at `arrived`: if that was after all pauses, nothing needs to be held back. */
  resultCame(arrived: number): void {
    if (this.#hold.active && arrived > this.#pauses.lastEnd) this.#hold.end();
  }

  /** Whether a result that could leave now must wait, as this process was held up since its frame arrived. */
  holdsBack(arrived: number, interval: number): boolean {
    const { lastEnd } = this.#pauses;
    if (arrived > lastEnd || this.#heldAfter === lastEnd) return false;
    this.#heldAfter = lastEnd;
    this.#hold.begin(2 * interval);
    return true;
  }

  /** Nothing is held back any more. */
  end(): void {
    this.#hold.end();
  }
}
