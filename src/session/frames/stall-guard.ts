import { Hold } from '../time/hold.js';
import { Lateness } from './lateness.js';
import type { Pauses } from '../time/pause-watch.js';

/** A gap of more than this many frame intervals is a stall. */
const stallIntervals = 3;
/** Longest hold after a pause of this process, in milliseconds. */
const longestHoldMs = 1000;

/**
 * Holds back frames and results after a stall of the client, the network or this process (PROTOCOL.md section 5), until
 * something newer has arrived or a short time has passed. All times are in milliseconds of `performance.now()`;
 * `interval` is the usual time between frames.
 */
export class StallGuard {
  readonly #pauses: Pauses;
  readonly #hold: Hold;
  readonly #lateness = new Lateness();
  /** Whether a result was sent since one was last held back: an overloaded machine still sends every other one. */
  #sent = true;
  /** The end of the pause after which results are held back, and until when they are. */
  #heldAfter = -Infinity;
  #heldUntil = -Infinity;

  /** @param onEnd is called when the time has passed. */
  constructor(pauses: Pauses, onEnd: () => void) {
    this.#pauses = pauses;
    this.#hold = new Hold(onEnd);
  }

  get holding(): boolean {
    return this.#hold.active;
  }

  /**
   * Notes that a frame arrived.
   * @param lag milliseconds since its capture; null if the client's clock is unknown.
   * @returns whether what was held back is outdated now.
   */
  frameArrived(lag: number | null, interval: number): boolean {
    if (lag !== null) {
      const late = this.#lateness.isLate(lag, interval);
      const old = this.#isOld(performance.now() - lag, interval);
      if (late || old) {
        this.#hold.begin(this.#holdMs(old, interval));
        return false;
      }
    }
    const held = this.#hold.active;
    this.#hold.end();
    return held;
  }

  /**
   * Notes that the client takes results again.
   * @param shut for how long it did not.
   * @param waiting when the waiting frame arrived; null if there is none.
   * @returns whether the waiting result is outdated.
   */
  clientReturned(shut: number, waiting: number | null, interval: number): boolean {
    if (shut <= stallIntervals * interval) return false;
    if (waiting !== null && waiting > performance.now() - interval) return true;
    this.#hold.begin(interval);
    return false;
  }

  /** Ends the hold if the engine finished a frame that arrived after all pauses. */
  resultCame(arrived: number): void {
    if (this.#hold.active && arrived > this.#pauses.last.end) this.#hold.end();
  }

  /** Returns whether a result must wait, because this process was paused since its frame arrived. */
  holdsBack(arrived: number, interval: number): boolean {
    if (!this.#isOld(arrived, interval)) return false;
    const { end } = this.#pauses.last;
    const now = performance.now();
    if (this.#heldAfter !== end) {
      if (!this.#sent) return false;
      this.#sent = false;
      this.#heldAfter = end;
      this.#heldUntil = now + this.#holdMs(true, interval);
    }
    if (now >= this.#heldUntil) return false;
    this.#hold.begin(this.#heldUntil - now);
    return true;
  }

  /** Notes that a result is sent. */
  resultLeft(): void {
    this.#sent = true;
  }

  /** Returns whether a time was before a pause of this process that was long compared to the frame interval. */
  #isOld(time: number, interval: number): boolean {
    const { end, ms } = this.#pauses.last;
    return time <= end && ms > stallIntervals * interval;
  }

  /**
   * Returns how long to wait for something newer. After a pause of this process, others may be short of time as well.
   */
  #holdMs(afterPause: boolean, interval: number): number {
    const { ms } = this.#pauses.last;
    return Math.max(2 * interval, afterPause ? Math.min(ms / 2, longestHoldMs) : 0);
  }

  /** Ends the hold. */
  end(): void {
    this.#hold.end();
  }
}
