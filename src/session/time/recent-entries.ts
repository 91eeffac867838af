/** Entries checked for removal at each call. */
const sweepSize = 16;

/** Keeps an entry for each recent user or address. */
export class RecentEntries<Entry> {
  readonly #isNew: (entry: Entry) => boolean;
  readonly #entries = new Map<string, Entry>();

  /** @param isNew returns whether an entry is as good as new, so that it can be forgotten. */
  constructor(isNew: (entry: Entry) => boolean) {
    this.#isNew = isNew;
  }

  /** Returns the entry of a key; creates one if there is none. */
  of(key: string, create: () => Entry): Entry {
    this.#sweep();
    const known = this.#entries.get(key);
    if (known !== undefined) return known;
    const entry = create();
    this.#entries.set(key, entry);
    return entry;
  }

  /** Forgets entries that are as good as new; the others move to the end, so that all are checked in turn. */
  #sweep(): void {
    let rest = sweepSize;
    for (const [key, entry] of this.#entries) {
      if (rest-- === 0) return;
      this.#entries.delete(key);
      if (!this.#isNew(entry)) this.#entries.set(key, entry);
    }
  }
}
