import { TokenBucket } from '../session/time/token-bucket.js';

/** Makes an answer that takes long at most as often as a rate allows, and otherwise gives the last one again. */
export class RecentAnswer<Answer> {
  readonly #make: () => Promise<Answer>;
  readonly #bucket: TokenBucket;
  #last: Promise<Answer> | null = null;

  /** @param burst answers that may be made at once. */
  constructor(
    make: () => Promise<Answer>,
    { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  ) {
    this.#make = make;
    this.#bucket = new TokenBucket(perSecond, burst);
  }

  get(): Promise<Answer> {
    if (this.#bucket.take() || this.#last === null) this.#last = this.#make();
    return this.#last;
  }
}
