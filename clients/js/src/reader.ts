import type { ResultMessage } from '@millrace/protocol';
import type { Connection } from './connection.js';

/** A result, when it came (by `performance.now()`), and over which connection. */
export interface Arrival {
  readonly frame: ResultMessage;
  readonly time: number;
  readonly connection: Connection;
  /** Whether it was acknowledged and counted already: it came before anybody asked for results. */
  readonly settled?: boolean;
}

interface ReaderOwner {
  /** The consumer is done with every result up to this one, which it was given. */
  consumed(arrival: Arrival): void;
  /** The consumer was too slow: this one is thrown away for a newer one. */
  unread(arrival: Arrival): void;
  /** Whether this one has waited for so long that it is given up for one that is on its way. */
  refused(arrival: Arrival): boolean;
  /** No further result is wanted. */
  ended(): void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<ResultMessage, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const end = { done: true, value: undefined } as const;

/**
 * Results as an async iterator that keeps only the newest: the consumer never works through a backlog.
 * Asking for the next result says that the one before it is done with.
 */
export class ResultReader implements AsyncIterableIterator<ResultMessage, undefined> {
  readonly #owner: ReaderOwner;
  #current: Arrival | undefined;
  #held: Arrival | undefined;
  #waiter: Waiter | undefined;
  #refusal: Error | undefined;
  #ended: { readonly error: Error | undefined } | undefined;

  constructor(owner: ReaderOwner) {
    this.#owner = owner;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  /** Hands over a result, at once or as the one that `next` finds. */
  push(arrival: Arrival): void {
    if (this.#waiter !== undefined) {
      const { resolve } = this.#waiter;
      this.#waiter = undefined;
      this.#current = arrival;
      resolve({ done: false, value: arrival.frame });
      return;
    }
    if (this.#held !== undefined) this.#owner.unread(this.#held);
    this.#held = arrival;
  }

  /** A picture has no result: the iteration ends by throwing this when the next result is asked for. */
  refuse(error: Error): void {
    this.#refusal ??= error;
    if (this.#waiter !== undefined) this.#throwRefusal(this.#waiter.reject);
  }

  /** Ends the iteration after the held result; with an error, by throwing it. */
  end(error?: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = { error };
    this.#owner.ended();
    const waiter = this.#waiter;
    this.#waiter = undefined;
    if (waiter === undefined) return;
    if (error === undefined) waiter.resolve(end);
    else waiter.reject(error);
  }

  /** @throws {TypeError} while an earlier `next` has not been answered. */
  async next(): Promise<IteratorResult<ResultMessage, undefined>> {
    if (this.#waiter !== undefined) throw new TypeError('frames() is being read already');
    this.#finishCurrent();
    if (this.#refusal !== undefined) {
      return new Promise((_resolve, reject) => this.#throwRefusal(reject));
    }
    const held = this.#held;
    this.#held = undefined;
    if (held !== undefined && !this.#owner.refused(held)) {
      this.#current = held;
      return { done: false, value: held.frame };
    }
    if (this.#ended !== undefined) {
      const { error } = this.#ended;
      this.#ended = { error: undefined };
      if (error !== undefined) throw error;
      return end;
    }
    return new Promise((resolve, reject) => {
      this.#waiter = { resolve, reject };
    });
  }

  /** Stops reading; `for await` calls it on break. */
  return(): Promise<IteratorResult<ResultMessage, undefined>> {
    this.#finishCurrent();
    if (this.#held !== undefined) this.#owner.unread(this.#held);
    this.#held = undefined;
    this.end();
    return Promise.resolve(end);
  }

  #throwRefusal(reject: (error: Error) => void): void {
    const refusal = this.#refusal;
    if (refusal === undefined) return;
    this.#refusal = undefined;
    this.#waiter = undefined;
    void this.return();
    reject(refusal);
  }

  #finishCurrent(): void {
    if (this.#current !== undefined) this.#owner.consumed(this.#current);
    this.#current = undefined;
  }
}
