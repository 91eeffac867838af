/**
 * Keeps the newest item until there is a credit to send it.
 * Credits are counted from the start of the connection, as in `credit.total`, so a lost or repeated grant does no harm.
 */
export class Outbox<Item> {
  #allowed = 0;
  #taken = 0;
  #held: Item | undefined;
  #closed = false;

  /** Number of items that may be taken now. */
  get credits(): number {
    return this.#closed ? 0 : Math.max(0, this.#allowed - this.#taken);
  }

  /** Whether no item may be taken, whatever the credits. */
  get closed(): boolean {
    return this.#closed;
  }

  /** Lets no item be taken until `open` or `restart`; credits are still counted. */
  close(): void {
    this.#closed = true;
  }

  open(): void {
    this.#closed = false;
  }

  /** Counts from 0 again, for a new connection; keeps the waiting item. */
  restart(credits: number): void {
    this.#allowed = credits;
    this.#taken = 0;
    this.#closed = false;
  }

  /** Raises the number of items allowed since the start to `total`; never lowers it. */
  allow(total: number): void {
    this.#allowed = Math.max(this.#allowed, total);
  }

  /** Keeps `item` and returns the older one that it displaces, if any. */
  put(item: Item): Item | undefined {
    const displaced = this.#held;
    this.#held = item;
    return displaced;
  }

  /** Takes the waiting item, at the cost of one credit. @returns undefined without an item or a credit. */
  take(): Item | undefined {
    const item = this.#held;
    if (item === undefined || this.credits === 0) return undefined;
    this.#taken += 1;
    this.#held = undefined;
    return item;
  }

  /** Returns the credit of an item that was taken and could not be sent. */
  refund(): void {
    this.#taken -= 1;
  }

  /** Puts back an item that was taken. @returns it, if a newer one waits. */
  putBack(item: Item): Item | undefined {
    if (this.#held !== undefined) return item;
    this.#held = item;
    return undefined;
  }
}
