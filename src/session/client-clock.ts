/**
 * Tells the server's points in time on the client's clock. The client estimates the offset between the two (NTP,
 * RFC 5905 section 8); until it tells it, the first message is taken as having needed no time.
 */
export class ClientClock {
  #offset = 0;
  #told = false;

  /** @param sent the client's clock when it sent its hello. @param arrived `performance.now()` when it came. */
  start(sent: number, arrived: number): void {
    if (!this.#told) this.#offset = sent - arrived;
  }

  /** @param offset the client's clock minus the server's, in milliseconds. */
  adjust(offset: number): void {
    this.#offset = offset;
    this.#told = true;
  }

  /** @param now milliseconds of `performance.now()`. */
  at(now: number): number {
    return now + this.#offset;
  }
}
