import { Hold } from '../time/hold.js';
import { Lateness } from './lateness.js';
import type { Pauses } from '../time/pause-watch.js';

/** What was shut for more frame intervals than these had a stall before it. */
const stallIntervals = 3;
/** Milliseconds for which something is held back at most after a pause of this process. */
const longestMoment = 1000;

/**
 * Holds frames and results back after a stall of the client, of the network or of this process (PROTOCOL.md section
 * 5): until something newer than what waited is there, or a moment has passed without. All times are in milliseconds
 * of `performance.now()`; `interval` is the usual time from frame to frame.
 */
export class StallGuard {
  readonly #pauses: Pauses;
  readonly #hold: Hold;
  readonly #lateness = new Lateness();
  /** Whether a result has left since one was last held back: a machine that is short of time still sends every other. */
  #sent = true;
  /** The end of the pause of this process after which results are held back, and until when. */
  #heldAfter = -Infinity;
  #heldUntil = -Infinity;

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
    if (lag !== null) {
      const late = this.#lateness.isLate(lag, interval);
      const old = this.#isOld(performance.now() - lag, interval);
      if (late || old) {
        this.#hold.begin(this.#moment(old, interval));
        return false;
      }
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
    if (this.#hold.active && arrived > this.#pauses.last.end) this.#hold.end();
  }

  /** Whether a result that could leave now must wait, as this process was held up since its frame arrived. */
  holdsBack(arrived: number, interval: number): boolean {
    if (!this.#isOld(arrived, interval)) return false;
    const { end } = this.#pauses.last;
    const now = performance.now();
    if (this.#heldAfter !== end) {
      if (!this.#sent) return false;
      this.#sent = false;
      this.#heldAfter = end;
      this.#heldUntil = now + this.#moment(true, interval);
    }
    if (now >= this.#heldUntil) return false;
    this.#hold.begin(this.#heldUntil - now);
    return true;
  }

  /** A result leaves. */
  resultLeft(): void {
    this.#sent = true;
  }

  /** Whether this was before a pause of this process that was long beside the frame interval. */
  #isOld(time: number, interval: number): boolean {
    const { end, ms } = this.#pauses.last;
    return time <= end && ms > stallIntervals * interval;
  }

  /** How long something newer is waited for. After a pause of this process, others may be short of time as well. */
  #moment(afterPause: boolean, interval: number): number {
    const { ms } = this.#pauses.last;
    return Math.max(2 * interval, afterPause ? Math.min(ms / 2, longestMoment) : 0);
  }

  /** Nothing is held back any more. */
  end(): void {
    this.#hold.end();
  }
}
