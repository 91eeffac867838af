import { setTimeout as sleep } from 'node:timers/promises';
import { TokenBucket } from '../session/time/token-bucket.js';

/**
 * Limits how often an expensive answer is made. Requests beyond the rate share the next one: no answer is older than
 * its request.
 */
export class SharedAnswer<Answer> {
  readonly #make: () => Promise<Answer>;
  readonly #bucket: TokenBucket;
  #next: Promise<Answer> | null = null;

  /** @param burst answers that may be made at once. */
  constructor(
    make: () => Promise<Answer>,
    { perSecond, burst }: { readonly perSecond: number; readonly burst: number },
  ) {
    this.#make = make;
    this.#bucket = new TokenBucket(perSecond, burst);
  }

  get(): Promise<Answer> {
    if (this.#next) return this.#next;
    if (this.#bucket.take()) return this.#make();
    this.#next = this.#later();
    return this.#next;
  }

  async #later(): Promise<Answer> {
    while (!this.#bucket.take()) await sleep(Math.max(1, 1000 * this.#bucket.wait));
    this.#next = null;
    return this.#make();
  }
}
