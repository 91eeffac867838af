/**
 * Converts points in time of the server to the client's clock. The client estimates the offset between the two (NTP,
 * RFC 5905 section 8) and sends it; until then, the first message is assumed to have needed no time.
 */
export class ClientClock {
  #offset = 0;
  #source: 'none' | 'hello' | 'ping' = 'none';

  /** @param sent the client's clock when it sent its hello. @param arrived `performance.now()` when it arrived. */
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

  /** Returns the milliseconds from a point of the client's clock to `now`; null if that clock is unknown. */
  since(time: number, now: number): number | null {
    return this.#source === 'none' ? null : this.at(now) - time;
  }

  /** Returns `now` on the client's clock. @param now milliseconds of `performance.now()`. */
  at(now: number): number {
    return now + this.#offset;
  }
}
