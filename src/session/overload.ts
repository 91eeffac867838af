/** Frames a second that a session offered to the engine, and that the engine took. */
export interface Rates {
  readonly wanted: number;
  readonly got: number;
}

/** Got less than this part of what it might have had: not by chance. */
const shortfall = 0.8;
/** The limit rises by this factor when all sessions got theirs this many times in a row. */
const rise = 1.25;
const calmLooks = 5;
/** Below this a stream is none any more. */
const lowestFps = 1;

/**
 * Finds the rate that all sessions can have when the engine cannot give them what they are promised: rather fewer
 * frames at a steady pace for all than late ones at any. Goes down to what was reached, and up again step by step.
 */
export class Overload {
  readonly #promised: number;
  readonly #seconds: number;
  #limit: number | null = null;
  #calm = 0;

  /**
   * @param promised frames a second that a session shall have.
   * @param seconds that lie between two looks.
   */
  constructor(promised: number, seconds: number) {
    this.#promised = promised;
    this.#seconds = seconds;
  }

  /** Takes a look at all sessions. @returns frames a second that each may have now; null for as many as it likes. */
  look(sessions: readonly Rates[]): number | null {
    const due = this.#limit ?? this.#promised;
    const short = sessions.filter(({ wanted, got }) => {
      const fair = Math.min(wanted, due);
      // A frame may fall on either side of a look.
      return got < shortfall * fair && (fair - got) * this.#seconds > 1;
    });
    // One alone has the engine to itself: it cannot be shared better.
    if (short.length > 0 && sessions.length > 1) {
      const reached = short.reduce((sum, { got }) => sum + got, 0) / short.length;
      this.#limit = Math.max(lowestFps, Math.round(reached * 10) / 10);
      this.#calm = 0;
    } else if (this.#limit !== null && ++this.#calm >= calmLooks) {
      const higher = Math.round(this.#limit * rise * 10) / 10;
      this.#limit = higher < this.#promised ? higher : null;
      this.#calm = 0;
    }
    return this.#limit;
  }
}
