import { errors, type ErrorCode, type ErrorDefinition, type RecentFigures } from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ParameterError } from '../../engine/engine.js';
import type { SessionMeter } from '../../metrics/session-meter.js';
import { checkGrant, type Grant } from '../access/grant.js';
import { Checkpoints } from './checkpoints.js';
import { ClientClock } from '../wire/client-clock.js';
import { parseClientMessage, type Message, type UncheckedMessage } from '../wire/client-message.js';
import type { Wire } from '../wire/wire.js';
import type { ConnectionContext, FinalCode } from './context.js';
import { Deadline } from '../time/deadline.js';
import { IdleWatch } from '../time/idle-watch.js';
import { openSession } from './handshake.js';
import type { Outlet } from '../wire/outlet.js';
import { Pacing } from '../live/pacing.js';
import { ProtocolError, type ErrorDetails } from '../wire/protocol-error.js';
import { readyMessage, sessionLimits } from './ready-message.js';
import type { Session } from '../live/session.js';
import { ConnectionAccess } from './connection-access.js';
import { afterClose, afterError, type Afterwards } from './close-policy.js';
import { TokenBucket } from '../time/token-bucket.js';
import { UpdateQueue } from '../live/update-queue.js';

/**
 * One client's connection to a stream: hello, parameters, errors and the end. A `Wire` carries the messages.
 *
 * opening (waits for hello, or in the queue) -> active (ready was sent) -> closing (the connection is being
 * closed) -> closed
 */
export class ClientConnection {
  readonly #ownId = randomUUID();
  readonly #context: ConnectionContext;
  readonly #wire: Wire;
  readonly #meter: SessionMeter;
  readonly #clock = new ClientClock();
  readonly #outlet: Outlet;
  readonly #updates: UpdateQueue;
  readonly #requests: TokenBucket;
  /** Aborts when the connection ends; what it started then stops. */
  readonly #gone = new AbortController();
  readonly #hello: Deadline;
  readonly #access: ConnectionAccess;
  readonly #idle: IdleWatch;
  #log: Logger;
  #state: 'opening' | 'active' | 'closing' | 'closed' = 'opening';
  #helloInProgress = false;
  /** The number of the last result that was sent. */
  #sequence = 0;
  #session: Session | null = null;
  #checkpoints: Checkpoints | null = null;
  #pacing: Pacing | null = null;

  /** @param grant of the token that came with the connection; null if none did. */
  constructor(wire: Wire, context: ConnectionContext, grant: Grant | null = null) {
    const { limits, metrics, log } = context;
    const gone = this.#gone.signal;
    this.#context = context;
    this.#wire = wire;
    this.#access = new ConnectionAccess(context.access, grant, () => this.close('unauthorized'), gone);
    this.#log = log.child({ session: this.#ownId });
    this.#meter = metrics.beginSession();
    this.#requests = new TokenBucket(limits.updatesPerSecond);
    this.#outlet = {
      clock: this.#clock,
      meter: this.#meter,
      send: (message) => {
        if (message.type === 'result') this.#sequence = message.sequence;
        wire.send(message);
        if (message.type === 'result') this.#session?.audience.show(message.data);
        if (message.type === 'result' || message.type === 'dropped') {
          this.#checkpoints?.answered().catch((error: unknown) => this.#refuse(error));
        }
      },
      report: (code, message, details, cause) => this.#report(code, message, details, cause),
    };
    this.#updates = new UpdateQueue({
      rules: context.rules,
      capacity: context.capacity,
      styleImages: context.styleImages,
      updatesPerSecond: limits.updatesPerSecond,
      outlet: this.#outlet,
      grant: () => this.#access.grant,
      refuse: (error, details) => this.#refuse(error, details),
      updated: async () => this.#checkpoints?.send(),
      gone,
    });
    this.#hello = new Deadline(() => this.close('hello_timeout'), gone);
    this.#hello.set(limits.helloTimeoutMs);
    const lastAt = (): number => Math.max(this.#updates.lastAt, this.#session?.frames.lastActivityAt ?? 0);
    this.#idle = new IdleWatch(limits.idleTimeoutMs, lastAt, () => this.close('idle_timeout'), gone);
  }

  /** The id of the session, from `ready` on; before, one of the connection. */
  get id(): string {
    return this.#session?.id ?? this.#ownId;
  }

  get state(): 'opening' | 'active' | 'closing' | 'closed' {
    return this.#state;
  }

  /** The pacing of its frames; null while it is not active. */
  get pacing(): Pacing | null {
    return this.#state === 'active' ? this.#pacing : null;
  }

  /** Returns how its frames flow now. */
  recent(): RecentFigures {
    return this.#meter.recent();
  }

  /** Changes parameters of an active session. @throws {ParameterError | ProtocolError} if that is not allowed. */
  async steer(update: Parameters<UpdateQueue['steer']>[1]): Promise<void> {
    if (this.mayReceive() && this.#session !== null) await this.#updates.steer(this.#session, update);
  }

  /** Returns whether a message may be handled now. A client that does not read its answers is disconnected. */
  mayReceive(): boolean {
    if (this.#wire.bufferedBytes > this.#context.limits.bufferedBytes) this.close('slow_reader');
    return this.#state === 'opening' || this.#state === 'active';
  }

  /** Handles a message of the client; faults are reported to the client. */
  receive(bytes: Uint8Array): void {
    try {
      if (this.mayReceive()) this.#handle(parseClientMessage(bytes));
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Sends the client the reason, and closes the connection. Does nothing if it is already closing. */
  close(code: FinalCode, message: string = errors[code].meaning): void {
    this.#report(code, message, {});
  }

  /** Announces that the server will stop, with a token to continue elsewhere. */
  async drain(seconds: number): Promise<void> {
    if (this.#state === 'opening') return this.close('shutting_down');
    const token = await this.#checkpoints?.take();
    if (this.#state !== 'active') return;
    const deadline_seconds = Math.round(seconds * 1000) / 1000;
    this.#wire.send({ type: 'drain', deadline_seconds, ...(token && { token }) });
  }

  /**
   * Releases the session after the connection has closed. May be called twice.
   * @param code of the close frame, as in RFC 6455 section 7.4; 1006 without one.
   */
  disconnected(code: number): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#release(afterClose(code));
    const { opened, ...totals } = this.#meter.ended();
    // An attacker can open any number of connections without a session.
    this.#log[opened ? 'info' : 'debug']({ code, ...totals }, 'session closed');
  }

  #handle(message: UncheckedMessage): void {
    if (message.type === 'hello') return this.#greet(message);
    const session = this.#session;
    if (session === null) {
      throw new ProtocolError('hello_required', 'only one hello may come before ready');
    }
    switch (message.type) {
      case 'frame':
        return session.frames.receive(message);
      case 'ack':
        session.frames.acknowledge(message.sequence);
        return this.#checkpoints?.acknowledged(message.sequence);
      case 'update':
        return this.#updates.put(session, message);
      case 'ping':
        this.#countRequest();
        if (message.offset !== undefined) this.#clock.adjust(message.offset);
        return this.#wire.send({ type: 'pong', sent: message.sent, received: performance.now() });
      case 'authenticate':
        this.#countRequest();
        void this.#renew(session, message.token).catch((error: unknown) => this.#refuse(error));
    }
  }

  #greet(hello: Message<'hello'>): void {
    if (this.#state === 'active') throw new ProtocolError('hello_required', 'hello came twice');
    if (this.#helloInProgress) throw new ProtocolError('hello_required', 'hello came twice');
    this.#helloInProgress = true;
    if (hello.sent !== undefined) this.#clock.start(hello.sent, performance.now());
    void this.#open(hello)
      .catch((error: unknown) => this.#refuseOpening(error))
      .finally(() => (this.#helloInProgress = false));
  }

  async #open(hello: Message<'hello'>): Promise<void> {
    const grant = await this.#access.greet(hello.token);
    const gone = this.#gone.signal;
    let queued = false;
    const onQueued = (): void => {
      // In the queue, other time limits apply.
      queued = true;
      this.#hello.clear();
    };
    const outlet = this.#outlet;
    const opening = openSession(this.#context, { hello, grant, outlet, onQueued, log: this.#log, gone });
    const { session, resumed } = await opening.catch((error: unknown) => {
      if (queued) this.#hello.set(this.#context.limits.helloTimeoutMs);
      throw error;
    });
    if (gone.aborted || session.attached) return this.#abandon(session);
    session.attach(() => this.#evicted());
    this.#session = session;
    this.#state = 'active';
    this.#log = this.#context.log.child({ session: session.id });
    this.#hello.clear();
    this.#access.watch();
    this.#idle.start();
    this.#meter.opened({ resumed });
    this.#log.info({ client: hello.client, resumed }, 'session opened');
    this.#wire.send(readyMessage(this.#context, { session, resumed, grant }));
    this.#pacing = new Pacing(session, this.#outlet);
    this.#pacing.allow(grant.limits);
    session.frames.connect(this.#outlet);
    this.#checkpoints = new Checkpoints(this.#context, session, {
      wire: this.#wire,
      sequence: () => this.#sequence,
      gone,
    });
    await this.#checkpoints.send();
  }

  /** Leaves the session: the client is gone, or another connection was faster. */
  #abandon(session: Session): void {
    if (!session.attached) this.#context.sessions.park(session);
    this.close('taken_over');
  }

  /** Closes this connection because another one took over the session. */
  #evicted(): void {
    this.#session = null;
    this.close('taken_over');
  }

  /** Replaces the token if the new one allows what the session does. */
  async #renew(session: Session, token: string): Promise<void> {
    const authenticated = await this.#access.renew(token, session.subject, (grant, take) =>
      session.queue(() => {
        checkGrant(grant.limits, session.parameters);
        take();
      }),
    );
    const { grant } = this.#access;
    if (this.#state !== 'active') return;
    this.#pacing?.allow(grant.limits);
    this.#wire.send({ ...authenticated, limits: sessionLimits(this.#context.limits, grant) });
  }

  #countRequest(): void {
    if (this.#requests.take()) return;
    const { updatesPerSecond } = this.#context.limits;
    throw new ProtocolError('rate_limited', `more than ${updatesPerSecond} messages of this kind per second`);
  }

  /** Reports to the client why no session was opened. */
  #refuseOpening(error: unknown): void {
    const expected = error instanceof ProtocolError || error instanceof ParameterError;
    if (expected) this.#refuse(error);
    else this.#report('engine_failed', errors.engine_failed.meaning, {}, error);
  }

  /** Reports to the client why a message was refused. */
  #refuse(error: unknown, details: ErrorDetails = {}): void {
    if (error instanceof ProtocolError) {
      this.#report(error.code, error.message, { ...details, ...error.details }, error.cause);
    } else if (error instanceof ParameterError) {
      this.#report('invalid_parameter', error.message, { ...details, field: error.field });
    } else {
      this.#report('internal', errors.internal.meaning, details, error);
    }
  }

  /** Sends an error, and closes the connection if the error ends it. */
  #report(code: ErrorCode, message: string, details: ErrorDetails, cause?: unknown): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#context.metrics.error(code);
    this.#log[cause === undefined ? 'debug' : 'error']({ code, ...details, err: cause }, message);
    this.#wire.send({ type: 'error', code, message, ...details });
    const definition: ErrorDefinition = errors[code];
    if (definition.close === undefined) return;
    this.#state = 'closing';
    this.#release(afterError(code));
    this.#wire.close(definition.close, code);
  }

  #release(afterwards: Afterwards): void {
    this.#gone.abort();
    const session = this.#session;
    this.#session = null;
    if (session !== null) this.#context.sessions[afterwards](session);
  }
}
