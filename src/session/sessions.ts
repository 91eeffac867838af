import { errors } from '@millrace/protocol';
import type { Census } from '../metrics/metrics.js';
import type { Connection } from './connection.js';
import { Session, type SessionContext } from './session.js';

/** All sessions of one server. */
export class Sessions {
  readonly #context: SessionContext;
  readonly #most: number;
  readonly #open = new Set<Session>();
  #closing = false;

  /** @param most sessions at the same time. */
  constructor(context: SessionContext, most: number) {
    this.#context = context;
    this.#most = most;
  }

  /**
   * Starts a session on a connection. Messages go to its `receive`; when the connection is gone, call `leave`.
   * @returns null if there is no room; the connection is then being closed, and the client told why.
   */
  enter(connection: Connection): Session | null {
    const refusal = this.#refusal();
    if (refusal) {
      this.#context.metrics.error(refusal);
      this.#context.metrics.sessionRefused();
      connection.send({ type: 'error', code: refusal, message: errors[refusal].meaning });
      connection.close(errors[refusal].close, refusal);
      return null;
    }
    const session = new Session(connection, this.#context);
    this.#open.add(session);
    return session;
  }

  #refusal(): 'shutting_down' | 'too_many_sessions' | null {
    if (this.#closing) return 'shutting_down';
    return this.#open.size < this.#most ? null : 'too_many_sessions';
  }

  leave(session: Session): void {
    this.#open.delete(session);
    session.disconnected();
  }

  /** What there is now. */
  census(): Census {
    const sessions = { opening: 0, active: 0, closing: 0 };
    let bufferedBytes = 0;
    for (const session of this.#open) {
      if (session.state !== 'closed') sessions[session.state] += 1;
      bufferedBytes += session.bufferedBytes;
    }
    return { sessions, slots: this.#most, bufferedBytes, draining: this.#closing };
  }

  /** Tells every client that the server stops, and takes no new ones. May be called twice. */
  close(): void {
    this.#closing = true;
    for (const session of this.#open) session.close('shutting_down');
  }
}
