/** What one account has been served; an account that is not known is as one that starts at the clock. */
interface Account {
  /** Where its work so far ends on the clock. */
  finish: number;
  /** Whether it had work waiting when `arrive` was last called. */
  waiting: boolean;
}

/**
 * Decides which account is served next, so that all that want more get equal shares (self-clocked fair queueing,
 * Golestani 1994). Costs may be in any unit. The next piece of work of each account has a tag: where it would end on the
 * account's own line. The least tag is served first, and the clock is the tag that was served last. An account that
 * was idle, or is new, starts at the clock and pays for its first work like everybody: however fast newcomers arrive
 * and leave, the clock moves on past those who wait.
 */
export class FairClock<Key> {
  readonly #accounts = new Map<Key, Account>();
  #now = 0;

  /** How many accounts are known. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Notes which accounts have work waiting now. All others are idle, and save up no service for a burst. */
  arrive(waiting: ReadonlySet<Key>): void {
    for (const [key, account] of this.#accounts) {
      if (waiting.has(key)) continue;
      account.waiting = false;
      // It would start at the clock again, as a new one does.
      if (account.finish <= this.#now) this.#accounts.delete(key);
    }
    for (const key of waiting) {
      const account = this.#accounts.get(key);
      if (account === undefined) this.#accounts.set(key, { finish: this.#now, waiting: true });
      else if (!account.waiting) {
        account.finish = Math.max(account.finish, this.#now);
        account.waiting = true;
      }
    }
  }

  /** Returns the tag of the account's next work if it costs this much. */
  tag(key: Key, cost: number): number {
    return (this.#accounts.get(key)?.finish ?? this.#now) + cost;
  }

  /** Moves the clock to the tag that is served next. */
  advance(tag: number): void {
    this.#now = Math.max(this.#now, tag);
  }

  /**
   * Adds work to what the account has been served; less than 0 corrects an estimate that was too high. An account that
   * is not known, since it is new or was removed during its work, is remembered until the clock has passed it.
   */
  charge(key: Key, cost: number): void {
    const account = this.#accounts.get(key) ?? { finish: this.#now, waiting: false };
    account.finish += cost;
    this.#accounts.set(key, account);
  }

  /** Forgets an account. */
  remove(key: Key): void {
    this.#accounts.delete(key);
  }
}
