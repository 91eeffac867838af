export interface MailboxOptions<T> {
  /** Works on one item; the next waits until it has settled. Must not reject. */
  readonly work: (item: T) => Promise<void>;
  /** A waiting item was replaced by a newer one, or given up by `clear`. */
  readonly dropped: (item: T) => void;
  /** Whether work may begin now. When the answer may have changed, call `poke`. */
  readonly open: () => boolean;
}

/**
 * A waiting place of one, where the newest item wins: while one item is worked on, or the gate is closed,
 * a new item replaces the one that waits. So nothing queues up, however slow the work.
 */
export class Mailbox<T> {
  readonly #options: MailboxOptions<T>;
  #waiting: { readonly item: T } | null = null;
  #busy = false;

  constructor(options: MailboxOptions<T>) {
    this.#options = options;
  }

  /** The item that waits, if any. */
  get waiting(): T | null {
    return this.#waiting?.item ?? null;
  }

  put(item: T): void {
    this.clear();
    this.#waiting = { item };
    this.poke();
  }

  /** What `work` was given shall wait again, unless something newer does. */
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

  /** Gives up the item that waits, if any. */
  clear(): void {
    if (!this.#waiting) return;
    const { item } = this.#waiting;
    this.#waiting = null;
    this.#options.dropped(item);
  }
}
