import type { DropReason, ResultMessage } from '@millrace/protocol';
import type { Connection } from './connection.js';
import type { MillraceError } from './errors.js';
import { Freshness } from './freshness.js';
import { ResultReader, type Arrival } from './reader.js';
import type { LocalDropReason } from './statistics.js';

export interface FramesOptions {
  /** Whether to skip refused pictures; otherwise their errors are thrown. */
  readonly skipRefused?: boolean | undefined;
}

interface ResultsOwner {
  /** Passes a result to the listeners. */
  arrived(frame: ResultMessage): void;
  /** Returns whether there has been a listener for results. */
  heard(): boolean;
  /** Called when the consumer is done with this result. */
  consumed(arrival: Arrival): void;
  drop(id: number, reason: DropReason | LocalDropReason): void;
  /** Returns whether a newer result than that of this frame is in progress. */
  expectsAfter(id: number): boolean;
}

/** Passes the results of a stream from the connection to the consumer, and acknowledges them. */
export class Results {
  readonly #owner: ResultsOwner;
  readonly #freshness = new Freshness();
  #connection: Connection;
  #reader: ResultReader | undefined;
  #skips = false;
  #newest: Arrival | undefined;
  #acknowledged = 0;
  /** The newest result from before results were requested. */
  #early: Arrival | undefined;
  #refused: MillraceError | undefined;
  #read = false;

  constructor(connection: Connection, owner: ResultsOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Switches to this connection, whose sequence begins at 1. */
  adopt(connection: Connection): void {
    this.#connection = connection;
    this.#freshness.forget();
    this.#acknowledged = 0;
  }

  /** Records that something was read from the connection. */
  hear(): void {
    this.#freshness.hear(performance.now());
  }

  receive(frame: ResultMessage): void {
    const arrival = { frame, time: performance.now(), connection: this.#connection };
    this.#newest = arrival;
    const fresh = this.#freshness.admit(frame, arrival.time);
    if (!fresh && this.#giveUp(arrival)) return;
    this.#reader?.push(arrival);
    this.#owner.arrived(frame);
    if (this.#reader !== undefined) return;
    this.#consume(arrival);
    // The first frames() yields the result that arrived before it, unless a listener received it.
    if (!this.#read && !this.#owner.heard()) this.#early = { ...arrival, settled: true };
  }

  /** Acknowledges a result that came before: it is not shown again. */
  skip(frame: ResultMessage): void {
    this.#acknowledge({ frame, time: performance.now(), connection: this.#connection });
  }

  /** Records that a picture was refused, so that it has no result. */
  refuse(error: MillraceError): void {
    if (this.#reader === undefined) this.#refused ??= error;
    else if (!this.#skips) this.#reader.refuse(error);
  }

  /** Starts an iteration. @throws {TypeError} during another one. */
  read({ skipRefused = false }: FramesOptions): ResultReader {
    if (this.#reader !== undefined) throw new TypeError('frames() is already being read');
    const reader = new ResultReader({
      consumed: (arrival) => this.#consume(arrival),
      unread: ({ frame, settled }) => {
        if (settled !== true) this.#owner.drop(frame.id, 'unread');
      },
      refused: (arrival) =>
        arrival.settled !== true &&
        this.#freshness.outlived(arrival.time, performance.now()) &&
        this.#giveUp(arrival),
      ended: () => {
        this.#reader = undefined;
        if (this.#newest !== undefined) this.#acknowledge(this.#newest);
      },
    });
    this.#read = true;
    this.#reader = reader;
    this.#skips = skipRefused;
    if (this.#early !== undefined) reader.push(this.#early);
    if (this.#refused !== undefined && !skipRefused) reader.refuse(this.#refused);
    this.#early = undefined;
    this.#refused = undefined;
    return reader;
  }

  /** Ends the results, because of the error, if any. */
  end(error: MillraceError | undefined): void {
    this.#reader?.end(error);
  }

  /** Discards an old result. @returns false if no newer one is in progress, so that it is the best available. */
  #giveUp(arrival: Arrival): boolean {
    const { id } = arrival.frame;
    if (!this.#owner.expectsAfter(id)) return false;
    this.#owner.drop(id, 'stale');
    this.#acknowledge(arrival);
    return true;
  }

  #consume(arrival: Arrival): void {
    if (arrival.settled === true) return;
    this.#owner.consumed(arrival);
    this.#acknowledge(arrival);
  }

  /** Acknowledges a result, unless it is from a former connection. */
  #acknowledge({ frame: { sequence }, connection }: Arrival): void {
    if (connection !== this.#connection || sequence <= this.#acknowledged) return;
    this.#acknowledged = sequence;
    connection.send({ type: 'ack', sequence });
  }
}
