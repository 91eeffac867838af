import type { ResultMessage } from '@millrace/protocol';
import type { Connection } from './connection.js';

/** A result with its time of arrival (of `performance.now()`) and its connection. */
export interface Arrival {
  readonly frame: ResultMessage;
  readonly time: number;
  readonly connection: Connection;
  /** Whether it is already acknowledged and counted, because it arrived before results were requested. */
  readonly settled?: boolean;
}

interface ReaderOwner {
  /** Called when the consumer is done with this result and all earlier ones. */
  consumed(arrival: Arrival): void;
  /** Called when a newer result replaces this one, because the consumer was too slow. */
  unread(arrival: Arrival): void;
  /** Returns whether this one has waited so long that it is discarded in favour of one in progress. */
  refused(arrival: Arrival): boolean;
  /** Called when no further result is needed. */
  ended(): void;
}

interface Waiter {
  readonly resolve: (result: IteratorResult<ResultMessage, undefined>) => void;
  readonly reject: (error: Error) => void;
}

const end = { done: true, value: undefined } as const;

/**
 * Async iterator of results that keeps only the newest: the consumer never works through a backlog.
 * Requesting the next result means that the consumer is done with the previous one.
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

  /** Delivers a result, at once or at the next call of `next`. */
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

  /** Ends the iteration because a picture has no result: the next request for a result throws this error. */
  refuse(error: Error): void {
    this.#refusal ??= error;
    if (this.#waiter !== undefined) this.#throwRefusal(this.#waiter.reject);
  }

  /** Ends the iteration after the waiting result; throws the error, if any. */
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

  /** @throws {TypeError} if an earlier call of `next` is still pending. */
  async next(): Promise<IteratorResult<ResultMessage, undefined>> {
    if (this.#waiter !== undefined) throw new TypeError('frames() is already being read');
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
