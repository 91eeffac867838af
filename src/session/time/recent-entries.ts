/** Entries that are looked through at a time for some that need not be known any more. */
const sweepSize = 16;

/** What is known of each user or address that has come of late. */
export class RecentEntries<Entry> {
  readonly #isNew: (entry: Entry) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param isNew whether an entry says no more than a fresh one: it is then forgotten. */
  constructor(isNew: (entry: Entry) => boolean) {
    this.#isNew = isNew;
  }

  /** Returns the entry of a key; makes one if there is none. */
  of(key: string, create: () => Entry): Entry {
    this.#sweep();
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = create();
    this.#entries.set(key, entry);
    return entry;
  }

  /** Forgets entries that are as new; those that stay move to the end, so that all get their turn. */
  #sweep(): void {
    let rest = sweepSize;
    for (const [key, entry] of this.#entries) {
      if (rest-- === 0) return;
      this.#entries.delete(key);
      if (!this.#isNew(entry)) this.#entries.set(key, entry);
    }
  }
}
