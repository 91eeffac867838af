/** Limits a rate: tokens flow in, at most `burst` are kept, and each event takes one. */
export class TokenBucket {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  #tokens: number;
  #filled: number;

  /**
   * @param burst events that may come at once.
   * @param now returns the milliseconds of a monotonic clock.
   */
  constructor(perSecond: number, burst: number = perSecond, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
    this.#tokens = burst;
    this.#filled = now();
  }

  /** Seconds until a token is available; 0 if one is. */
  get wait(): number {
    this.#fill();
    return Math.max(0, 1 - this.#tokens) / this.#perSecond;
  }

  /** Whether the bucket is full: nothing was taken recently. */
  get full(): boolean {
    this.#fill();
    return this.#tokens >= this.#burst;
  }

  /** Takes a token if there is one. */
  take(): boolean {
    this.#fill();
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  #fill(): void {
    const now = this.#now();
    this.#tokens = Math.min(this.#burst, this.#tokens + ((now - this.#filled) / 1000) * this.#perSecond);
    this.#filled = now;
  }
}
