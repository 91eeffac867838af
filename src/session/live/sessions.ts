import type { StreamParameters } from '@millrace/protocol';
import { ProtocolError } from '../wire/protocol-error.js';
import type { Session } from './session.js';
import type { Claim, SessionStore } from './session-store.js';

/** The spent tokens of a session, remembered until they expire. */
interface Spent {
  /** Tokens up to this one are spent. */
  readonly counter: number;
  readonly until: number;
}

const fullElsewhere =
  'the token allows no further session or image at the same time, on all servers together';

/** All sessions of a server. One whose connection was lost is parked: kept for a while. */
export class Sessions {
  readonly #graceMs: number;
  readonly #tokenLifeMs: number;
  readonly #store: SessionStore | null;
  readonly #sessions = new Map<string, Session>();
  readonly #graceTimers = new Map<Session, NodeJS.Timeout>();
  /** Sessions that wait for a slot, by user. */
  readonly #expected = new Map<string, number>();
  /** In the order in which they expire. */
  readonly #spent = new Map<string, Spent>();

  /**
   * @param graceMs how long a session waits for its client to come back.
   * @param tokenLifeMs how long resume tokens last.
   * @param store what this server shares with others; null if it shares nothing.
   */
  constructor(graceMs: number, tokenLifeMs: number, store: SessionStore | null = null) {
    this.#graceMs = graceMs;
    this.#tokenLifeMs = tokenLifeMs;
    this.#store = store;
  }

  get parked(): number {
    return this.#graceTimers.size;
  }

  /** Returns the parked sessions, the longest parked first. */
  away(): Iterable<Session> {
    return this.#graceTimers.keys();
  }

  /**
   * Makes a session this server's, in the whole fleet. Afterwards, `remove`, `end` or `release` it.
   * @returns the number that its next resume tokens are counted from.
   * @throws {ProtocolError} invalid_resume_token, too_many_sessions
   */
  async claim(claim: Claim): Promise<number> {
    if (this.#store === null) return claim.counter;
    const answer = await this.#store.claim(claim);
    if (answer === 'spent') throw new ProtocolError('invalid_resume_token');
    if (answer === 'too_many') throw new ProtocolError('too_many_sessions', fullElsewhere);
    return answer;
  }

  /** Gives back the claim to a session that was not added. */
  release(id: string): void {
    this.#store?.release(id);
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
    this.release(session.id);
    session.close();
  }

  /** Removes a session that another server has now; its connection here is notified. */
  lose(id: string): void {
    const session = this.#sessions.get(id);
    if (session === undefined || this.isOpening(session)) return;
    session.evict();
    this.remove(session);
  }

  /** Ends a session for good: none of its tokens is valid any more. */
  end(session: Session): void {
    this.#store?.end(session.id);
    this.remove(session);
    this.spend(session.id, Infinity);
  }

  /** Marks the tokens of this session up to this number as spent. */
  spend(id: string, counter: number): void {
    this.#store?.spend(id, counter);
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
