import { Backoff } from './backoff.js';

/** Milliseconds after which a connection that is lost counts as a new problem. */
const settledTime = 5000;

/**
 * How long a stream tries to connect again. A connection that ends as soon as it was opened belongs to the same problem
 * as the loss before it; otherwise the client would try for ever where a server ends every connection.
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

  /** The pauses between tries for the present problem. */
  get backoff(): Backoff {
    return this.#backoff;
  }

  opened(): void {
    this.#openedAt = performance.now();
  }

  /** A result came over the connection, so it works. */
  settled(): void {
    this.#since = undefined;
  }

  /** The connection was lost. @returns milliseconds for which to try to connect again. */
  lost(): number {
    const now = performance.now();
    if (this.#since === undefined || now - this.#openedAt > settledTime) {
      this.#since = now;
      this.#backoff = new Backoff();
    }
    return this.#since + this.#grace - now;
  }
}
