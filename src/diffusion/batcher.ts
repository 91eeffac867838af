import type { Lane } from './stream.js';

/** One stream as the batcher sees it: lanes that want predicting, and perhaps a frame that may enter. */
export interface Source {
  /** Rows of different keys cannot share a U-Net call (other sizes, other needs of the model). */
  readonly key: string;
  /** Lanes under way, oldest first. Called once for each U-Net call. */
  lanes(): readonly Lane[];
  /** Rows that each frame which waits to enter, and may, would cost at its first stage. Called once as well. */
  entries(): readonly number[];
}

/** What one stream has in the next call. */
export interface Share<S extends Source> {
  readonly source: S;
  readonly lanes: readonly Lane[];
  /** How many of its waiting frames, from the oldest. */
  readonly entries: number;
}

/** What a stream offers and how much of it has been taken: lanes before entries. */
interface Offer<S extends Source> {
  readonly source: S;
  readonly lanes: readonly Lane[];
  /** Rows of each lane, then of each entry. */
  readonly costs: readonly number[];
  taken: number;
}

/**
 * Chooses what goes into the next U-Net call. Fair by rows: the stream that has had the fewest gets the next one
 * (start-time fair queueing, Goyal et al. 1996, with a row as the unit of service), so streams that always want
 * more get equal shares whatever their settings, and one that wants little gets all that it wants.
 * It knows nothing of diffusion.
 */
export class Batcher<S extends Source> {
  /** Rows had by each stream, on a clock on which all that are active advance together. */
  readonly #served = new Map<S, number>();
  /** The service that the least served active stream had at the last call: where newcomers start. */
  #clock = 0;

  /**
   * @param sources streams with something to do; order does not matter beyond ties.
   * @param budget rows that a call should hold, at least 1; one lane of two rows may exceed a budget of 1.
   * @returns shares of one call, all of one key; empty if nobody wants anything.
   */
  gather(sources: Iterable<S>, budget: number): readonly Share<S>[] {
    const offers: Offer<S>[] = [];
    for (const source of sources) {
      const lanes = source.lanes();
      const costs = [...lanes.map((lane) => lane.rows.length), ...source.entries()];
      if (costs.length === 0) continue;
      // Who was idle must not have saved up service for a burst.
      this.#served.set(source, Math.max(this.#service(source), this.#clock));
      offers.push({ source, lanes, costs, taken: 0 });
    }
    const first = this.#leastServed(offers);
    if (first === undefined) return [];
    this.#clock = this.#service(first.source);
    const sharing = offers.filter(({ source }) => source.key === first.source.key);
    let room = Math.max(budget, first.costs[0]);
    for (;;) {
      const next = this.#leastServed(sharing.filter(({ taken, costs }) => taken < costs.length));
      if (next === undefined || next.costs[next.taken] > room) break;
      const cost = next.costs[next.taken];
      room -= cost;
      this.#served.set(next.source, this.#service(next.source) + cost);
      next.taken += 1;
    }
    return sharing
      .filter(({ taken }) => taken > 0)
      .map(({ source, lanes, taken }) => ({
        source,
        lanes: lanes.slice(0, taken),
        entries: Math.max(0, taken - lanes.length),
      }));
  }

  /** Forgets a stream that is gone. */
  remove(source: S): void {
    this.#served.delete(source);
  }

  #service(source: S): number {
    return this.#served.get(source) ?? 0;
  }

  #leastServed(offers: readonly Offer<S>[]): Offer<S> | undefined {
    let least: Offer<S> | undefined;
    for (const offer of offers) {
      if (least === undefined || this.#service(offer.source) < this.#service(least.source)) least = offer;
    }
    return least;
  }
}
