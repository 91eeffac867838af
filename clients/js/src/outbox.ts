/**
 * What waits to be sent, under credit flow control: at most one item, the newest.
 * Credits count from the start of the connection, as in `credit.total`, so a lost or repeated grant does no harm.
 */
export class Outbox<Item> {
  #allowed = 0;
  #taken = 0;
  #held: Item | undefined;

  /** Items that may be taken now. */
  get credits(): number {
    return Math.max(0, this.#allowed - this.#taken);
  }

  /** Counts anew, as a new connection does; what is held stays. */
  restart(credits: number): void {
    this.#allowed = credits;
    this.#taken = 0;
  }

  /** Raises the allowance to `total` items since the start; never lowers it. */
  allow(total: number): void {
    this.#allowed = Math.max(this.#allowed, total);
  }

  /** Holds `item` and returns the older one that it displaces, if any. */
  put(item: Item): Item | undefined {
    const displaced = this.#held;
    this.#held = item;
    return displaced;
  }

  /** The held item, at the cost of one credit; undefined without an item or without a credit. */
  take(): Item | undefined {
    const item = this.#held;
    if (item === undefined || this.credits === 0) return undefined;
    this.#taken += 1;
    this.#held = undefined;
    return item;
  }

  /** Gives back the credit of an item that was taken and could not be sent. */
  refund(): void {
    this.#taken -= 1;
  }

  /** Holds again an item that was taken. @returns it, if a newer one is held. */
  putBack(item: Item): Item | undefined {
    if (this.#held !== undefined) return item;
    this.#held = item;
    return undefined;
  }
}
