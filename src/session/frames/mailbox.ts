export interface MailboxOptions<T> {
  /** Works on one item; the next waits until it has settled. Must not reject. */
  readonly work: (item: T) => Promise<void>;
  /** Called when a waiting item was replaced by a newer one, or dropped by `clear`. */
  readonly dropped: (item: T) => void;
  /** Whether work may begin now. When the answer may have changed, call `poke`. */
  readonly open: () => boolean;
}

/**
 * Holds one waiting item, the newest: while an item is worked on, or the gate is closed, a new item replaces the
 * waiting one. So nothing queues up, however slow the work.
 */
export class Mailbox<T> {
  readonly #options: MailboxOptions<T>;
  #waiting: { readonly item: T } | null = null;
  #busy = false;

  constructor(options: MailboxOptions<T>) {
    this.#options = options;
  }

  /** The waiting item, if any. */
  get waiting(): T | null {
    return this.#waiting?.item ?? null;
  }

  put(item: T): void {
    this.clear();
    this.#waiting = { item };
    this.poke();
  }

  /** Lets an item that `work` received wait again, unless a newer one waits. */
  putBack(item: T): void {
    if (this.#waiting) this.#options.dropped(item);
    else this.#waiting = { item };
  }

  /** Begins work if an item waits, none is worked on, and the gate is open. */
  poke(): void {
    if (this.#busy || !this.#waiting || !this.#options.open()) return;
    const { item } = this.#waiting;
    this.#waiting = null;
    this.#busy = true;
    void this.#options.work(item).finally(() => {
      this.#busy = false;
      this.poke();
    });
  }

  /** Drops the waiting item, if any. */
  clear(): void {
    if (!this.#waiting) return;
    const { item } = this.#waiting;
    this.#waiting = null;
    this.#options.dropped(item);
  }
}
