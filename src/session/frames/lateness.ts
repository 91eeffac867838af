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
   * @param lag milliseconds from its capture to its arrival.
   * @param interval the usual time between frames.
   */
  isLate(lag: number, interval: number): boolean {
    const late = lag > this.#usual + lateIntervals * interval;
    this.#inARow = late ? this.#inARow + 1 : 0;
    if (lag < this.#usual || this.#inARow > mostLateFrames) this.#usual = lag;
    else if (!late) this.#usual += (lag - this.#usual) / 64;
    return late && this.#inARow <= mostLateFrames;
  }
}
