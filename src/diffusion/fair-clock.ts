/** The service of one account so far. An unknown account counts as one that starts at the clock. */
interface Account {
  /** Tag at which its work so far ends. */
  finish: number;
  /** Whether it had work waiting when `arrive` was last called. */
  waiting: boolean;
}

/**
 * Decides which account is served next, so that all that need more time get equal shares (self-clocked fair queueing,
 * Golestani 1994). Costs may be in any unit. The next work of each account has a tag: the end of its earlier work, plus
 * the cost. The lowest tag is served first, and the clock is the last served tag. A new or formerly idle account starts
 * at the clock and pays for its first work like all others: however fast accounts come and go, the clock advances past
 * those that wait.
 */
export class FairClock<Key> {
  readonly #accounts = new Map<Key, Account>();
  #now = 0;

  /** Number of known accounts. */
  get size(): number {
    return this.#accounts.size;
  }

  /** Sets which accounts have work waiting. All others are idle, and do not save up service for a burst. */
  arrive(waiting: ReadonlySet<Key>): void {
    for (const [key, account] of this.#accounts) {
      if (waiting.has(key)) continue;
      account.waiting = false;
      // It would start at the clock again, like a new one.
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

  /** Returns the tag of the account's next work, of this cost. */
  tag(key: Key, cost: number): number {
    return (this.#accounts.get(key)?.finish ?? this.#now) + cost;
  }

  /** Moves the clock to the tag that is served next. */
  advance(tag: number): void {
    this.#now = Math.max(this.#now, tag);
  }

  /**
   * Adds cost to an account; a negative cost corrects an estimate that was too high. An unknown account (new, or
   * removed during its work) is kept until the clock has passed it.
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
