/** Later than usual by more than this many frame intervals: something was held up on the way. */
const lateIntervals = 3;
/** After so many late frames in a row, late is the usual. */
const patience = 4;

/**
 * Notices frames that were on the way, or not read, for much longer than others: after a stall of the network or of
 * this process. Only differences count, so it does not matter how well the client's clock is known.
 */
export class Lateness {
  #usual = Infinity;
  #inARow = 0;

  /**
   * @param lag milliseconds from the capture of a frame to its arrival.
   * @param interval the usual time from frame to frame.
   */
  isLate(lag: number, interval: number): boolean {
    const late = lag > this.#usual + lateIntervals * interval;
    this.#inARow = late ? this.#inARow + 1 : 0;
    if (lag < this.#usual || this.#inARow > patience) this.#usual = lag;
    else if (!late) this.#usual += (lag - this.#usual) / 64;
    return late && this.#inARow <= patience;
  }
}
