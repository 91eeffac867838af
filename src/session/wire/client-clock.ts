/**
 * Tells the server's points in time on the client's clock. The client estimates the offset between the two (NTP,
 * RFC 5905 section 8); until it tells it, the first message is taken as having needed no time.
 */
export class ClientClock {
  #offset = 0;
  #source: 'none' | 'hello' | 'ping' = 'none';

  /** @param sent the client's clock when it sent its hello. @param arrived `performance.now()` when it came. */
  start(sent: number, arrived: number): void {
    if (this.#source === 'ping') return;
    this.#offset = sent - arrived;
    this.#source = 'hello';
  }

  /** @param offset the client's clock minus the server's, in milliseconds. */
  adjust(offset: number): void {
    this.#offset = offset;
    this.#source = 'ping';
  }

  /** Milliseconds from a point of the client's clock to `now`; null if nothing is known of that clock. */
  since(time: number, now: number): number | null {
    return this.#source === 'none' ? null : this.at(now) - time;
  }

  /** @param now milliseconds of `performance.now()`. */
  at(now: number): number {
    return now + this.#offset;
  }
}
