import { Backoff } from './backoff.js';

/** Age from which the loss of a connection counts as a new problem. */
const settledMs = 5000;

/**
 * Decides how long a stream tries to connect again. A connection that ends as soon as it was opened belongs to the same
 * problem as the loss before it; otherwise the client would try forever if a server ends every connection.
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

  /** The pauses between attempts for the current problem. */
  get backoff(): Backoff {
    return this.#backoff;
  }

  opened(): void {
    this.#openedAt = performance.now();
  }

  /** Records that a result arrived, so the connection works. */
  settled(): void {
    this.#since = undefined;
  }

  /** Records a lost connection. @returns milliseconds for which to try to connect again. */
  lost(): number {
    const now = performance.now();
    if (this.#since === undefined || now - this.#openedAt > settledMs) {
      this.#since = now;
      this.#backoff = new Backoff();
    }
    return this.#since + this.#grace - now;
  }
}
