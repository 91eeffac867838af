import type { StreamParameters } from '@millrace/protocol';
import type { Session } from './session.js';

/** What is remembered of a session's tokens for as long as they last. */
interface Spent {
  /** Tokens up to this one are of no more use. */
  readonly counter: number;
  readonly until: number;
}

/** All sessions of a server. One whose connection was lost is kept for a while: it is parked. */
export class Sessions {
  readonly #graceMs: number;
  readonly #tokenLifeMs: number;
  readonly #sessions = new Map<string, Session>();
  readonly #graceTimers = new Map<Session, NodeJS.Timeout>();
  /** Sessions that wait for a slot, by user. */
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
    return this.#graceTimers.size;
  }

  /** Sessions that wait for their clients, those that have waited longest first. */
  away(): Iterable<Session> {
    return this.#graceTimers.keys();
  }

  add(session: Session): void {
    this.#sessions.set(session.id, session);
  }

  find(id: string): Session | undefined {
    return this.#sessions.get(id);
  }

  /** What the sessions ask for, those too that wait for their client. */
  *parameters(): Generator<StreamParameters, void, void> {
    for (const { parameters } of this.#sessions.values()) yield parameters;
  }

  /** Sessions of a user, those too that are to come. */
  count(subject: string): number {
    let count = this.#expected.get(subject) ?? 0;
    for (const session of this.#sessions.values()) if (session.subject === subject) count += 1;
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
  park(session: Session): void {
    session.detach();
    if (!this.#sessions.has(session.id) || this.#graceTimers.has(session)) return;
    this.#graceTimers.set(session, setTimeout(() => this.remove(session), this.#graceMs).unref());
  }

  /** A connection takes the session; whoever has it is told. */
  take(session: Session): void {
    clearTimeout(this.#graceTimers.get(session));
    this.#graceTimers.delete(session);
    session.evict();
  }

  /** The session is not here any more; its tokens may be good elsewhere. */
  remove(session: Session): void {
    clearTimeout(this.#graceTimers.get(session));
    this.#graceTimers.delete(session);
    this.#sessions.delete(session.id);
    session.close();
  }

  /** The session was ended properly: none of its tokens is of any use. */
  end(session: Session): void {
    this.remove(session);
    this.spend(session.id, Infinity);
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
    for (const session of this.#graceTimers.keys()) this.remove(session);
  }
}
