import { Backoff } from './backoff.js';

/** A connection that lasted for so many milliseconds was not in vain. */
const settledTime = 5000;

/**
 * For how long a stream goes on to look for connections. One that ends as soon as it was opened belongs to the same
 * trouble as the loss before it: else a server that ends every connection would be asked for ever.
 */
export class Persistence {
  readonly #grace: number;
  #since: number | undefined;
  #openedAt = performance.now();
  #backoff = new Backoff();

  /** @param grace milliseconds. */
  constructor(grace: number) {
    this.#grace = grace;
  }

  /** Pauses of the trouble that goes on. */
  get backoff(): Backoff {
    return this.#backoff;
  }

  opened(): void {
    this.#openedAt = performance.now();
  }

  /** The connection was of use: a result came over it. */
  settled(): void {
    this.#since = undefined;
  }

  /** The connection was lost. @returns milliseconds for which another may be sought. */
  lost(): number {
    const now = performance.now();
    if (this.#since === undefined || now - this.#openedAt > settledTime) {
      this.#since = now;
      this.#backoff = new Backoff();
    }
    return this.#since + this.#grace - now;
  }
}
