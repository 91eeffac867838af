import { FairClock } from './fair-clock.js';
import type { Lane } from './stream.js';

/** One stream as the batcher sees it: lanes that want predicting, and perhaps a frame that may enter. */
export interface Source {
  /** Rows of different keys cannot share a U-Net call (other sizes, other needs of the model). */
  readonly key: string;
  /** Streams of one account share what one stream would get; a stream without an account has its own. */
  readonly account?: string | undefined;
  /** What a row costs, where 1 is a row of the usual size; 1 if absent. */
  readonly rowCost?: number;
  /** What a frame costs besides its rows (encoding and decoding the picture), in the same unit; 0 if absent. */
  readonly pictureCost?: number;
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

/** One lane or entry that could go into a call. */
interface Item {
  readonly rows: number;
  readonly cost: number;
}

/** What a stream offers and how much of it has been taken: lanes before entries. */
interface Offer<S extends Source> {
  readonly source: S;
  readonly account: S | string;
  readonly lanes: readonly Lane[];
  readonly items: readonly Item[];
  taken: number;
}

/** What could be taken next. */
interface Candidate<S extends Source> {
  readonly offer: Offer<S>;
  readonly item: Item;
  readonly tag: number;
}

/**
 * Chooses what goes into the next U-Net call. Fair by cost (see `FairClock`): streams that want more than there is get
 * equal shares of the time, regardless of size, steps and guidance, and one that wants little gets all that it wants.
 * It knows nothing of diffusion.
 */
export class Batcher<S extends Source> {
  readonly #clock = new FairClock<S | string>();
  /** When each stream came or was last served: among streams of one account, or with equal tags, the first is next. */
  readonly #turns = new Map<S, number>();
  #turn = 0;

  /**
   * @param sources streams with something to do; order does not matter beyond ties.
   * @param budget rows that a call should hold, at least 1; one lane of two rows may exceed a budget of 1.
   * @param mostCost what a call of more than one lane may cost, so that no stream waits for a call of many large rows.
   * @returns shares of one call, all of one key; empty if nobody wants anything.
   */
  gather(sources: Iterable<S>, budget: number, mostCost = Infinity): readonly Share<S>[] {
    const offers = [...sources].map(offerOf).filter(({ items }) => items.length > 0);
    this.#clock.arrive(new Set(offers.map(({ account }) => account)));
    for (const { source } of offers) {
      if (!this.#turns.has(source)) this.#turns.set(source, this.#turn++);
    }
    const first = this.#next(offers);
    if (first === undefined) return [];
    const sharing = offers.filter(({ source }) => source.key === first.offer.source.key);
    let rows = Math.max(budget, first.item.rows);
    let cost = Math.max(mostCost, first.item.cost);
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

  /** Counts other work of the stream, in rows of the usual size, as part of its share. */
  charge(source: S, cost: number): void {
    this.#clock.charge(source.account ?? source, cost);
  }

  /** Forgets a stream that is gone. */
  remove(source: S): void {
    this.#turns.delete(source);
    this.#clock.remove(source);
  }

  /** The least tag of all accounts; within one account, the stream that has waited longest. */
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

function offerOf<S extends Source>(source: S): Offer<S> {
  const { rowCost = 1, pictureCost = 0 } = source;
  const lanes = source.lanes();
  const items = [
    ...lanes.map(({ rows }) => ({ rows: rows.length, cost: rows.length * rowCost })),
    ...source.entries().map((rows) => ({ rows, cost: rows * rowCost + pictureCost })),
  ];
  return { source, account: source.account ?? source, lanes, items, taken: 0 };
}
