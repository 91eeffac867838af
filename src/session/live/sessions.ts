import type { StreamParameters } from '@millrace/protocol';
import type { Session } from './session.js';

/** The spent tokens of a session, remembered until they expire. */
interface Spent {
  /** Tokens up to this one are spent. */
  readonly counter: number;
  readonly until: number;
}

/** All sessions of a server. One whose connection was lost is parked: kept for a while. */
export class Sessions {
  readonly #graceMs: number;
  readonly #tokenLifeMs: number;
  readonly #sessions = new Map<string, Session>();
  readonly #graceTimers = new Map<Session, NodeJS.Timeout>();
  /** Sessions that wait for a slot, by user. */
  readonly #expected = new Map<string, number>();
  /** In the order in which they expire. */
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
    return this.#graceTimers.size;
  }

  /** Returns the parked sessions, the longest parked first. */
  away(): Iterable<Session> {
    return this.#graceTimers.keys();
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** Returns the parameters of all sessions, including parked ones. */
  *parameters(): Generator<StreamParameters, void, void> {
    for (const { parameters } of this.#sessions.values()) yield parameters;
  }

  /** Returns the number of sessions of a user, including expected ones. */
  count(subject: string): number {
    let count = this.#expected.get(subject) ?? 0;
    for (const session of this.#sessions.values()) if (session.subject === subject) count += 1;
    return count;
  }

  /** Counts a session that a user is about to open. @returns a function to call once, when it is open or failed. */
  expect(subject: string): () => void {
    const add = (change: number): void => {
      const count = (this.#expected.get(subject) ?? 0) + change;
      if (count === 0) this.#expected.delete(subject);
      else this.#expected.set(subject, count);
    };
    add(1);
    return () => add(-1);
  }

  /** Parks a session whose connection was lost. */
  park(session: Session): void {
    session.detach();
    if (!this.#sessions.has(session.id) || this.#graceTimers.has(session)) return;
    this.#graceTimers.set(session, setTimeout(() => this.remove(session), this.#graceMs).unref());
  }

  /** Whether a session is on its way to a connection: it has none yet, and does not wait for its client. */
  isOpening(session: Session): boolean {
    return !session.attached && !this.#graceTimers.has(session);
  }

  /** Takes a session for a connection; the one that has it is notified. */
  take(session: Session): void {
    clearTimeout(this.#graceTimers.get(session));
    this.#graceTimers.delete(session);
    session.evict();
  }

  /** Removes a session; its tokens may be valid elsewhere. */
  remove(session: Session): void {
    clearTimeout(this.#graceTimers.get(session));
    this.#graceTimers.delete(session);
    this.#sessions.delete(session.id);
    session.close();
  }

  /** Ends a session for good: none of its tokens is valid any more. */
  end(session: Session): void {
    this.remove(session);
    this.spend(session.id, Infinity);
  }

  /** Marks the tokens of this session up to this number as spent. */
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

  /** Ends all parked sessions. */
  close(): void {
    for (const session of this.#graceTimers.keys()) this.remove(session);
  }
}
