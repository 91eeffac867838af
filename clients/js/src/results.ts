import type { DropReason, ResultMessage } from '@millrace/protocol';
import type { Connection } from './connection.js';
import type { MillraceError } from './errors.js';
import { Freshness } from './freshness.js';
import { ResultReader, type Arrival } from './reader.js';
import type { LocalDropReason } from './statistics.js';

export interface FramesOptions {
  /** Whether to pass over refused pictures; otherwise their errors are thrown. */
  readonly skipRefused?: boolean | undefined;
}

interface ResultsOwner {
  /** Tells listeners of a result. */
  arrived(frame: ResultMessage): void;
  /** Whether anybody has listened for results. */
  heard(): boolean;
  /** The consumer is done with this result. */
  consumed(arrival: Arrival): void;
  drop(id: number, reason: DropReason | LocalDropReason): void;
  /** Whether a newer result than that of this frame is on its way. */
  expectsAfter(id: number): boolean;
}

/** The way of the results of a stream from the connection to the consumer, and their acknowledgements. */
export class Results {
  readonly #owner: ResultsOwner;
  readonly #freshness = new Freshness();
  #connection: Connection;
  #reader: ResultReader | undefined;
  #skips = false;
  #newest: Arrival | undefined;
  #acknowledged = 0;
  /** What came before anybody asked for results. */
  #early: Arrival | undefined;
  #refused: MillraceError | undefined;
  #read = false;

  constructor(connection: Connection, owner: ResultsOwner) {
    this.#connection = connection;
    this.#owner = owner;
  }

  /** Goes on with this connection, whose sequence begins at 1. */
  adopt(connection: Connection): void {
    this.#connection = connection;
    this.#freshness.forget();
    this.#acknowledged = 0;
  }

  /** Something was read from the connection. */
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
    // The first frames() gives the result that came before it, unless a listener had it.
    if (!this.#read && !this.#owner.heard()) this.#early = { ...arrival, settled: true };
  }

  /** A picture that was sent was refused, so it has no result. */
  refuse(error: MillraceError): void {
    if (this.#reader === undefined) this.#refused ??= error;
    else if (!this.#skips) this.#reader.refuse(error);
  }

  /** @throws {TypeError} during another iteration. */
  read({ skipRefused = false }: FramesOptions): ResultReader {
    if (this.#reader !== undefined) throw new TypeError('frames() is being read already');
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

  /** No further result comes; with an error, for that reason. */
  end(error: MillraceError | undefined): void {
    this.#reader?.end(error);
  }

  /** Gives up a result that is old. @returns false if no newer one is on its way: then it is the best there is. */
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

  /** Results of a former connection cannot be acknowledged. */
  #acknowledge({ frame: { sequence }, connection }: Arrival): void {
    if (connection !== this.#connection || sequence <= this.#acknowledged) return;
    this.#acknowledged = sequence;
    connection.send({ type: 'ack', sequence });
  }
}
