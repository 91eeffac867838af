import type { Pauses } from '../time/pause-watch.js';

/** A gap of more than this many frame intervals is a stall. */
const stallIntervals = 3;
/** Longest hold after a pause of this process, in milliseconds. */
const longestHoldMs = 1000;
/** A frame that is late by more than this many frame intervals was delayed on the way. */
const lateIntervals = 3;
/** After this many late frames in a row, the lag is the usual one. */
const mostLateFrames = 4;

/**
 * Detects frames that were on the way, or not read, for much longer than others: after a stall of the network or of
 * this process. Only differences count, so the accuracy of the client's clock does not matter.
 */
export class Lateness {
  #usual = Infinity;
  #inARow = 0;

  /**
   * Returns whether a frame is late.
   * @param lagMs milliseconds from its capture to its arrival.
   * @param intervalMs the usual time between frames.
   */
  isLate(lagMs: number, intervalMs: number): boolean {
    const late = lagMs > this.#usual + lateIntervals * intervalMs;
    this.#inARow = late ? this.#inARow + 1 : 0;
    if (lagMs < this.#usual || this.#inARow > mostLateFrames) this.#usual = lagMs;
    else if (!late) this.#usual += (lagMs - this.#usual) / 64;
    return late && this.#inARow <= mostLateFrames;
  }
}

/**
 * Holds back frames and results after a stall of the client, the network or this process (PROTOCOL.md section 5), until
 * something newer has arrived or a short time has passed. All times are in milliseconds of `performance.now()`;
 * `intervalMs` is the usual time between frames.
 */
export class StallGuard {
  readonly #pauses: Pauses;
  readonly #onEnd: () => void;
  readonly #lateness = new Lateness();
  /** Ends the hold; null while there is none. */
  #hold: NodeJS.Timeout | null = null;
  /** Whether a result was sent since one was last held back: an overloaded machine still sends every other one. */
  #sent = true;
  /** When the pause ended after which results are held back, and when they no longer are. */
  #pauseEndedAt = -Infinity;
  #holdEndsAt = -Infinity;

  /** @param onEnd is called when the time has passed, not on an earlier `end`. */
  constructor(pauses: Pauses, onEnd: () => void) {
    this.#pauses = pauses;
    this.#onEnd = onEnd;
  }

  get holding(): boolean {
    return this.#hold !== null;
  }

  /**
   * Notes that a frame arrived.
   * @param lagMs milliseconds since its capture; null if the client's clock is unknown.
   * @returns whether what was held back is outdated now.
   */
  frameArrived(lagMs: number | null, intervalMs: number): boolean {
    if (lagMs !== null) {
      const late = this.#lateness.isLate(lagMs, intervalMs);
      const old = this.#isOld(performance.now() - lagMs, intervalMs);
      if (late || old) {
        this.#begin(this.#holdMs(old, intervalMs));
        return false;
      }
    }
    const held = this.holding;
    this.end();
    return held;
  }

  /**
   * Notes that the client takes results again.
   * @param shutMs for how long it did not.
   * @param arrivedAt when the waiting frame arrived; null if there is none.
   * @returns whether the waiting result is outdated.
   */
  clientReturned(shutMs: number, arrivedAt: number | null, intervalMs: number): boolean {
    if (shutMs <= stallIntervals * intervalMs) return false;
    if (arrivedAt !== null && arrivedAt > performance.now() - intervalMs) return true;
    this.#begin(intervalMs);
    return false;
  }

  /** Ends the hold if the engine finished a frame that arrived after all pauses. */
  resultFinished(arrivedAt: number): void {
    if (this.holding && arrivedAt > this.#pauses.last.end) this.end();
  }

  /** Holds a result back if this process was paused since its frame arrived. @returns whether it must wait. */
  holdBack(arrivedAt: number, intervalMs: number): boolean {
    if (!this.#isOld(arrivedAt, intervalMs)) return false;
    const { end } = this.#pauses.last;
    const now = performance.now();
    if (this.#pauseEndedAt !== end) {
      if (!this.#sent) return false;
      this.#sent = false;
      this.#pauseEndedAt = end;
      this.#holdEndsAt = now + this.#holdMs(true, intervalMs);
    }
    if (now >= this.#holdEndsAt) return false;
    this.#begin(this.#holdEndsAt - now);
    return true;
  }

  /** Notes that a result was sent. */
  resultSent(): void {
    this.#sent = true;
  }

  /** Ends the hold. May be called twice. */
  end(): void {
    if (this.#hold) clearTimeout(this.#hold);
    this.#hold = null;
  }

  /** Begins to hold, unless it does already. */
  #begin(ms: number): void {
    this.#hold ??= setTimeout(() => {
      this.#hold = null;
      this.#onEnd();
    }, ms);
  }

  /** Returns whether a time was before a pause of this process that was long compared to the frame interval. */
  #isOld(at: number, intervalMs: number): boolean {
    const { end, ms } = this.#pauses.last;
    return at <= end && ms > stallIntervals * intervalMs;
  }

  /**
   * Returns how long to wait for something newer. After a pause of this process, others may be short of time as well.
   */
  #holdMs(afterPause: boolean, intervalMs: number): number {
    const { ms } = this.#pauses.last;
    return Math.max(2 * intervalMs, afterPause ? Math.min(ms / 2, longestHoldMs) : 0);
  }
}
