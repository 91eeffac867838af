import type { StreamParameters } from '@millrace/protocol';
import type { Lease } from '../admission/admission.js';
import type { FramePipeline } from '../frames/frame-pipeline.js';

/** A session as the server holds it, whichever connection has it: its stream, and its place. */
export interface Seat {
  /** The session's name. */
  readonly id: string;
  /** Whose it is. */
  readonly subject: string;
  readonly frames: FramePipeline;
  readonly lease: Lease;
  /** As they are in force. */
  parameters: StreamParameters;
  /** Settles when the updates so far are carried out. */
  updates: Promise<void>;
  /** Number of its newest resume token. */
  counter: number;
  /** Tells the connection that has it that another takes it over; null while none has it. */
  evict: (() => void) | null;
}

/** What is remembered of a session's tokens for as long as they last. */
interface Spent {
  /** Tokens up to this one are of no more use. */
  readonly counter: number;
  readonly until: number;
}

/** All sessions of a server, those too whose connection was lost, for a time of grace. */
export class Seats {
  readonly #graceMs: number;
  readonly #tokenLifeMs: number;
  readonly #seats = new Map<string, Seat>();
  readonly #farewells = new Map<Seat, NodeJS.Timeout>();
  /** Sessions that wait for a place, by user. */
  readonly #expected = new Map<string, number>();
  /** In the order in which they run out. */
  readonly #spent = new Map<string, Spent>();

  /**
   * @param graceMs how long a session waits for its client to come back.
   * @param tokenLifeMs how long resume tokens last.
   */
  constructor(graceMs: number, tokenLifeMs: number) {
    this.#graceMs = graceMs;
    this.#tokenLifeMs = tokenLifeMs;
  }

  get parked(): number {
    return this.#farewells.size;
  }

  /** Sessions that wait for their clients, those that have waited longest first. */
  away(): Iterable<Seat> {
    return this.#farewells.keys();
  }

  add(seat: Seat): void {
    this.#seats.set(seat.id, seat);
  }

  find(id: string): Seat | undefined {
    return this.#seats.get(id);
  }

  /** What the sessions ask for, those too that wait for their client. */
  *parameters(): Generator<StreamParameters, void, void> {
    for (const { parameters } of this.#seats.values()) yield parameters;
  }

  /** Sessions of a user, those too that are to come. */
  count(subject: string): number {
    let count = this.#expected.get(subject) ?? 0;
    for (const seat of this.#seats.values()) if (seat.subject === subject) count += 1;
    return count;
  }

  /** A session of this user is to come. @returns what to call when it has come, or will not; once. */
  expect(subject: string): () => void {
    const add = (change: number): void => {
      const count = (this.#expected.get(subject) ?? 0) + change;
      if (count === 0) this.#expected.delete(subject);
      else this.#expected.set(subject, count);
    };
    add(1);
    return () => add(-1);
  }

  /** The connection was lost: the session waits for the client to come back. */
  park(seat: Seat): void {
    seat.evict = null;
    seat.frames.disconnect();
    if (!this.#seats.has(seat.id) || this.#farewells.has(seat)) return;
    this.#farewells.set(seat, setTimeout(() => this.remove(seat), this.#graceMs).unref());
  }

  /** A connection takes the session; whoever has it is told. */
  take(seat: Seat): void {
    clearTimeout(this.#farewells.get(seat));
    this.#farewells.delete(seat);
    const { evict } = seat;
    seat.evict = null;
    evict?.();
    seat.frames.disconnect();
  }

  /** The session is not here any more; its tokens may be good elsewhere. */
  remove(seat: Seat): void {
    clearTimeout(this.#farewells.get(seat));
    this.#farewells.delete(seat);
    this.#seats.delete(seat.id);
    seat.frames.close();
    seat.lease.release();
  }

  /** The session was ended properly: none of its tokens is of any use. */
  end(seat: Seat): void {
    this.remove(seat);
    this.spend(seat.id, Infinity);
  }

  /** Tokens of this session up to this number are used up. */
  spend(id: string, counter: number): void {
    const now = performance.now();
    for (const [old, { until }] of this.#spent) {
      if (until > now) break;
      this.#spent.delete(old);
    }
    const known = this.#spent.get(id)?.counter ?? 0;
    this.#spent.delete(id);
    this.#spent.set(id, { counter: Math.max(counter, known), until: now + this.#tokenLifeMs });
  }

  isSpent(id: string, counter: number): boolean {
    return counter <= (this.#spent.get(id)?.counter ?? 0);
  }

  /** Ends what waits for its client. */
  close(): void {
    for (const seat of this.#farewells.keys()) this.remove(seat);
  }
}
