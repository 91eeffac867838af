import {
  errors,
  protocolVersion,
  type ErrorCode,
  type ErrorDefinition,
  type ParameterUpdate,
  type StreamParameters,
} from '@millrace/protocol';
import { randomUUID } from 'node:crypto';
import type { Logger } from 'pino';
import { ParameterError, type Engine } from '../engine/engine.js';
import type { Metrics } from '../metrics/metrics.js';
import type { SessionMeter } from '../metrics/session-meter.js';
import { ClientClock } from './client-clock.js';
import { parseClientMessage, type UncheckedMessage } from './client-message.js';
import type { Connection } from './connection.js';
import { FramePipeline, type FrameLimits } from './frame-pipeline.js';
import type { ParameterRules } from './parameters.js';
import { ProtocolError, type ErrorDetails } from './protocol-error.js';
import { TokenBucket } from './token-bucket.js';

export interface SessionLimits extends FrameLimits {
  /** Milliseconds until hello must have led to ready. */
  readonly helloTimeout: number;
  readonly messageBytes: number;
  readonly updatesPerSecond: number;
  /** Bytes that may wait for a client to read them. */
  readonly bufferedBytes: number;
}

/** What all sessions of a server share. */
export interface SessionContext {
  readonly engine: Engine;
  readonly model: string;
  /** Name and version of this software. */
  readonly server: string;
  readonly rules: ParameterRules;
  readonly limits: SessionLimits;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Errors that end the connection. */
type FinalCode = {
  [Code in ErrorCode]: (typeof errors)[Code] extends { readonly close: number } ? Code : never;
}[ErrorCode];

type Message<Type extends UncheckedMessage['type']> = Extract<UncheckedMessage, { readonly type: Type }>;

/**
 * One user's connection to a stream: hello, parameters, errors and the end. What carries the messages is
 * behind `Connection`; the frames go their own way through a `FramePipeline`.
 *
 * opening (waits for hello) -> active (ready was sent) -> closing (the connection is being closed) -> closed
 */
export class Session {
  readonly id = randomUUID();
  readonly #context: SessionContext;
  readonly #connection: Connection;
  readonly #log: Logger;
  readonly #meter: SessionMeter;
  readonly #clock = new ClientClock();
  readonly #frames: FramePipeline;
  readonly #updates: TokenBucket;
  readonly #helloTimer: NodeJS.Timeout;
  #state: 'opening' | 'active' | 'closing' | 'closed' = 'opening';
  #helloInProgress = false;
  #parameters: StreamParameters;
  /** Updates are carried out one after another, each over the outcome of the one before. */
  #lastUpdate: Promise<void> = Promise.resolve();

  constructor(connection: Connection, context: SessionContext) {
    const { engine, limits, metrics, rules, log } = context;
    this.#context = context;
    this.#connection = connection;
    this.#log = log.child({ session: this.id });
    this.#meter = metrics.beginSession();
    this.#parameters = rules.defaults;
    this.#updates = new TokenBucket(limits.updatesPerSecond);
    this.#frames = new FramePipeline({
      limits,
      meter: this.#meter,
      clock: this.#clock,
      allocate: (bytes) => engine.allocate(bytes),
      send: (message) => connection.send(message),
      report: (code, message, details, cause) => this.#report(code, message, details, cause),
    });
    this.#helloTimer = setTimeout(() => this.close('hello_timeout'), limits.helloTimeout);
  }

  get state(): 'opening' | 'active' | 'closing' | 'closed' {
    return this.#state;
  }

  /** Bytes that were sent but not yet taken by the network. */
  get bufferedBytes(): number {
    return this.#connection.bufferedBytes;
  }

  /** One message of the client. Whatever is wrong with it is told to the client. */
  receive(bytes: Uint8Array): void {
    if (this.#state !== 'opening' && this.#state !== 'active') return;
    if (this.#connection.bufferedBytes > this.#context.limits.bufferedBytes) return this.close('slow_reader');
    try {
      this.#handle(parseClientMessage(bytes));
    } catch (error) {
      this.#refuse(error);
    }
  }

  /** Tells the client why, and closes the connection. Does nothing if it is being closed already. */
  close(code: FinalCode): void {
    this.#report(code, errors[code].meaning, {});
  }

  /** The connection is gone. May be called twice. */
  disconnected(): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    this.#release();
    this.#log.info(this.#meter.ended(), 'session closed');
  }

  #handle(message: UncheckedMessage): void {
    if (this.#state === 'opening' && (message.type !== 'hello' || this.#helloInProgress)) {
      throw new ProtocolError('hello_required', 'nothing but one hello may come before ready');
    }
    switch (message.type) {
      case 'hello':
        if (this.#state === 'active') throw new ProtocolError('hello_required', 'hello came twice');
        this.#helloInProgress = true;
        if (message.sent !== undefined) this.#clock.start(message.sent, performance.now());
        void this.#open(message).catch((error: unknown) => this.#refuse(error));
        return;
      case 'frame':
        return this.#frames.receive(message);
      case 'ack':
        return this.#frames.acknowledge(message.sequence);
      case 'update':
        return this.#queueUpdate(message);
      case 'ping':
        if (message.offset !== undefined) this.#clock.adjust(message.offset);
        return this.#connection.send({ type: 'pong', sent: message.sent, received: performance.now() });
    }
  }

  async #open(hello: Message<'hello'>): Promise<void> {
    const { engine, limits, model, rules, server } = this.#context;
    try {
      if (engine.state.name === 'starting') return this.close('not_ready');
      const parameters = { ...rules.defaults, ...rules.check(hello.parameters) };
      const stream = await engine.openStream(parameters, this.#frames);
      if (this.#state !== 'opening') return stream.close();
      this.#frames.attach(stream, parameters);
      this.#parameters = parameters;
      this.#state = 'active';
    } catch (error) {
      if (error instanceof ParameterError) throw error;
      return this.#report('engine_failed', errors.engine_failed.meaning, {}, error);
    } finally {
      this.#helloInProgress = false;
    }
    clearTimeout(this.#helloTimer);
    this.#meter.opened();
    this.#log.info({ client: hello.client }, 'session opened');
    this.#connection.send({
      type: 'ready',
      protocol: protocolVersion,
      session: this.id,
      resumed: false,
      server,
      model,
      parameters: this.#parameters,
      credits: limits.credits,
      limits: {
        message_bytes: limits.messageBytes,
        frame_pixels: limits.framePixels,
        unacknowledged_results: limits.unacknowledgedResults,
        updates_per_second: limits.updatesPerSecond,
      },
    });
  }

  #queueUpdate({ request, parameters }: Message<'update'>): void {
    const { limits, rules } = this.#context;
    try {
      if (!this.#updates.take()) {
        throw new ProtocolError('rate_limited', `more than ${limits.updatesPerSecond} updates in a second`);
      }
      const update = rules.check(parameters);
      this.#lastUpdate = this.#lastUpdate
        .then(() => this.#update(request, update))
        .catch((error: unknown) => this.#refuse(error, { request }));
    } catch (error) {
      this.#refuse(error, { request });
    }
  }

  async #update(request: number, update: ParameterUpdate): Promise<void> {
    if (this.#state !== 'active') return;
    const parameters = { ...this.#parameters, ...update };
    try {
      const from = await this.#frames.configure(parameters);
      this.#parameters = parameters;
      this.#meter.updated();
      this.#connection.send({ type: 'updated', request, from, parameters });
    } catch (error) {
      if (error instanceof ParameterError) throw error;
      this.#report('engine_restarting', 'the update was lost as the engine failed', { request }, error);
    }
  }

  /** Tells the client what became of a message that could not be carried out. */
  #refuse(error: unknown, details: ErrorDetails = {}): void {
    if (error instanceof ProtocolError) {
      this.#report(error.code, error.message, { ...details, ...error.details });
    } else if (error instanceof ParameterError) {
      this.#report('invalid_parameter', error.message, { ...details, field: error.field });
    } else {
      this.#report('internal', errors.internal.meaning, details, error);
    }
  }

  /** Sends an error; if it is one that ends the connection, closes it. */
  #report(code: ErrorCode, message: string, details: ErrorDetails, cause?: unknown): void {
    if (this.#state === 'closing' || this.#state === 'closed') return;
    this.#context.metrics.error(code);
    this.#log[cause === undefined ? 'debug' : 'error']({ code, ...details, err: cause }, message);
    this.#connection.send({ type: 'error', code, message, ...details });
    const definition: ErrorDefinition = errors[code];
    if (definition.close === undefined) return;
    this.#state = 'closing';
    this.#release();
    this.#connection.close(definition.close, code);
  }

  #release(): void {
    clearTimeout(this.#helloTimer);
    this.#frames.close();
  }
}
