import { TokenBucket } from './token-bucket.js';

/** A rate, and how many events may come at once; as `TokenBucket` takes them. */
export interface Rate {
  readonly perSecond: number;
  readonly burst: number;
}

interface Keyed extends Rate {
  readonly bucket: TokenBucket;
}

/** Entries that are looked through with each event for some that need not be known any more. */
const sweepSize = 16;

/** Limits the rate of each of many users, and forgets those that have been quiet. */
export class KeyedBuckets {
  readonly #entries = new Map<string, Keyed>();

  /** Takes a token of this key if there is one. A key whose rate has changed starts with a full bucket. */
  take(key: string, { perSecond, burst }: Rate): boolean {
    this.#sweep();
    let entry = this.#entries.get(key);
    if (entry?.perSecond !== perSecond || entry.burst !== burst) {
      entry = { perSecond, burst, bucket: new TokenBucket(perSecond, burst) };
      this.#entries.set(key, entry);
    }
    return entry.bucket.take();
  }

  /** Forgets keys whose buckets are full; the others move to the end, so that all get their turn. */
  #sweep(): void {
    let rest = sweepSize;
    for (const [key, entry] of this.#entries) {
      if (rest-- === 0) return;
      this.#entries.delete(key);
      if (!entry.bucket.full) this.#entries.set(key, entry);
    }
  }
}
