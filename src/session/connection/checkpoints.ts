import type { Wire } from '../wire/wire.js';
import type { ConnectionContext } from './context.js';
import type { Session } from '../live/session.js';

/** A client with more unread bytes gets no further token until it has read some. */
const enoughBytes = 256 * 1024;

/** Tokens remembered while the client acknowledges nothing. */
const mostSent = 64;

export interface CheckpointOptions {
  readonly wire: Wire;
  /** Returns the number of the last result that was sent. */
  readonly sequence: () => number;
  /** No checkpoint is sent once this has aborted. */
  readonly gone: AbortSignal;
}

/** Keeps the client supplied with resume tokens while frames flow. */
export class Checkpoints {
  readonly #context: ConnectionContext;
  readonly #session: Session;
  readonly #wire: Wire;
  readonly #sequence: () => number;
  readonly #gone: AbortSignal;
  /** Tokens that were sent, and the result before each: a client that has a later result has the token too. */
  #sent: { readonly counter: number; readonly after: number }[] = [];
  #lastTakenAt = 0;
  /** Whether the client was asked to leave. */
  #leaving = false;

  constructor(context: ConnectionContext, session: Session, { wire, sequence, gone }: CheckpointOptions) {
    this.#sequence = sequence;
    this.#gone = gone;
    this.#context = context;
    this.#session = session;
    this.#wire = wire;
    const timer = setInterval(() => {
      if (session.frames.lastActivityAt <= this.#lastTakenAt) return;
      this.send().catch((error: unknown) => {
        context.log.error({ err: error, session: session.id }, 'a checkpoint could not be sent');
      });
    }, context.limits.checkpointIntervalMs).unref();
    gone.addEventListener('abort', () => clearInterval(timer));
  }

  /**
   * Sends a token of the current state. Older tokens stay valid until the client is known to have this one: it may be
   * lost with the connection, or with everything that was sent after the network failed.
   */
  async send(): Promise<void> {
    if (this.#wire.bufferedBytes > enoughBytes) return;
    const sealed = await this.#seal();
    if (sealed === null || this.#gone.aborted) return;
    this.#wire.send({ type: 'checkpoint', token: sealed.token });
    this.#sent.push({ counter: sealed.counter, after: this.#sequence() });
    if (this.#sent.length > mostSent) this.#sent.shift();
  }

  /**
   * Spends the tokens before the newest one that the client has. Messages arrive in order, so it has those that were
   * sent before this result. A WebSocket pong proves nothing: a proxy may have sent it.
   */
  acknowledged(sequence: number): void {
    const arrived = this.#sent.findLast(({ after }) => after < sequence);
    if (arrived === undefined) return;
    this.#sent = this.#sent.filter(({ counter }) => counter > arrived.counter);
    this.#context.sessions.spend(this.#session.id, arrived.counter - 1);
  }

  /** Returns a token for a client that is asked to leave; null if the engine cannot report its state. */
  async take(): Promise<string | null> {
    this.#leaving = true;
    return (await this.#seal())?.token ?? null;
  }

  /** Sends a client that was asked to leave a token without frames under way, if it has the answers to all of them. */
  async answered(): Promise<void> {
    if (this.#leaving && this.#session.frames.idle) await this.send();
  }

  async #seal(): Promise<{ readonly token: string; readonly counter: number } | null> {
    const { tokens, model } = this.#context;
    const { id: session, subject, frames } = this.#session;
    const now = performance.now();
    try {
      const { state, carried } = await frames.snapshot();
      const { parameters } = this.#session;
      const counter = this.#session.nextCounter();
      this.#lastTakenAt = now;
      const token = tokens.seal({ session, subject, counter, model, parameters, state, carried });
      return { token, counter };
    } catch (error) {
      // The engine is restarting, or the stream has ended.
      this.#context.log.debug({ err: error, session }, 'no checkpoint could be taken');
      return null;
    }
  }
}
