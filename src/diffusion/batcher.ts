import { FairClock } from './fair-clock.js';
import type { Lane } from './stream.js';

/** A stream as seen by the batcher: lanes to predict, and frames that may enter. */
export interface RowSource {
  /** Rows with different keys cannot share a U-Net call (different sizes, for example). */
  readonly key: string;
  /** Streams of one account share one share of the time; a stream without an account has its own. */
  readonly account?: string | undefined;
  /** Cost of a row, where 1 is a row of the default size; 1 if absent. */
  readonly rowCost?: number;
  /** Cost of a frame besides its rows (encoding and decoding), in the same unit; 0 if absent. */
  readonly pictureCost?: number;
  /** Returns the lanes under way, oldest first. Called once per U-Net call. */
  lanes(): readonly Lane[];
  /** Returns the rows of the first stage of each frame that may enter now. Also called once per U-Net call. */
  entries(): readonly number[];
}

/** The part of one stream in the next call. */
export interface BatchShare<S extends RowSource> {
  readonly source: S;
  readonly lanes: readonly Lane[];
  /** Number of waiting frames that enter, oldest first. */
  readonly entries: number;
}

/** One lane or entry that could go into a call. */
interface Item {
  readonly rows: number;
  readonly cost: number;
}

/** The items of a stream, lanes before entries, and how many are taken. */
interface Offer<S extends RowSource> {
  readonly source: S;
  readonly account: S | string;
  readonly lanes: readonly Lane[];
  readonly items: readonly Item[];
  taken: number;
}

/** An item that could be taken next. */
interface Candidate<S extends RowSource> {
  readonly offer: Offer<S>;
  readonly item: Item;
  readonly tag: number;
}

/**
 * Chooses the rows of the next U-Net call. Fair by cost (see `FairClock`): under overload, streams get equal shares of
 * the time, regardless of size, steps and guidance, and a stream that needs less than its share gets all it needs. It
 * knows nothing of diffusion.
 */
export class Batcher<S extends RowSource> {
  readonly #clock = new FairClock<S | string>();
  /** Turn in which each stream arrived or was last served. The lowest is next in an account, or among equal tags. */
  readonly #turns = new Map<S, number>();
  #turn = 0;

  /**
   * @param sources all streams; their order only matters for ties.
   * @param budget most rows of a call, at least 1; a single lane may exceed it.
   * @param maxCost of a call of several lanes, so that no stream waits for a call of many large rows.
   * @returns shares of one call, all with one key; empty if there is nothing to do.
   */
  gather(sources: Iterable<S>, budget: number, maxCost = Infinity): readonly BatchShare<S>[] {
    const offers = [...sources].map(offerOf).filter(({ items }) => items.length > 0);
    this.#clock.arrive(new Set(offers.map(({ account }) => account)));
    for (const { source } of offers) {
      if (!this.#turns.has(source)) this.#turns.set(source, this.#turn++);
    }
    const first = this.#next(offers);
    if (first === undefined) return [];
    const { key } = first.offer.source;
    const sharing = offers.filter(({ source }) => source.key === key);
    let rows = Math.max(budget, first.item.rows);
    let cost = Math.max(maxCost, first.item.cost);
    for (;;) {
      const next = this.#next(sharing);
      if (next === undefined || next.item.rows > rows || next.item.cost > cost) break;
      const { offer, item } = next;
      rows -= item.rows;
      cost -= item.cost;
      offer.taken += 1;
      this.#clock.advance(next.tag);
      this.#clock.charge(offer.account, item.cost);
      this.#turns.set(offer.source, this.#turn++);
    }
    return sharing
      .filter(({ taken }) => taken > 0)
      .map(({ source, lanes, taken }) => ({
        source,
        lanes: lanes.slice(0, taken),
        entries: Math.max(0, taken - lanes.length),
      }));
  }

  /** Charges other work of the stream, in rows of the default size, to its share. */
  charge(source: S, cost: number): void {
    this.#clock.charge(source.account ?? source, cost);
  }

  /** Forgets a stream that has ended. */
  remove(source: S): void {
    this.#turns.delete(source);
    this.#clock.remove(source);
  }

  /** Returns the item with the lowest tag; within an account, that of the stream that has waited longest. */
  #next(offers: readonly Offer<S>[]): Candidate<S> | undefined {
    const heads = new Map<S | string, Candidate<S>>();
    for (const offer of offers) {
      const item = offer.items[offer.taken];
      if (item === undefined) continue;
      const head = heads.get(offer.account);
      if (head && this.#turnOf(head.offer.source) < this.#turnOf(offer.source)) continue;
      heads.set(offer.account, { offer, item, tag: this.#clock.tag(offer.account, item.cost) });
    }
    let least: Candidate<S> | undefined;
    for (const head of heads.values()) if (least === undefined || this.#precedes(head, least)) least = head;
    return least;
  }

  #precedes(a: Candidate<S>, b: Candidate<S>): boolean {
    if (a.tag !== b.tag) return a.tag < b.tag;
    return this.#turnOf(a.offer.source) < this.#turnOf(b.offer.source);
  }

  #turnOf(source: S): number {
    return this.#turns.get(source) ?? this.#turn;
  }
}

function offerOf<S extends RowSource>(source: S): Offer<S> {
  const { rowCost = 1, pictureCost = 0 } = source;
  const lanes = source.lanes();
  const items = [
    ...lanes.map(({ rows }) => ({ rows: rows.length, cost: rows.length * rowCost })),
    ...source.entries().map((rows) => ({ rows, cost: rows * rowCost + pictureCost })),
  ];
  return { source, account: source.account ?? source, lanes, items, taken: 0 };
}
