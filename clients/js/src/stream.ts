import type {
  DropReason,
  ErrorMessage,
  Limits,
  ParameterUpdate,
  ReadyMessage,
  ResultMessage,
  StreamParameters,
  UpdatedMessage,
} from '@millrace/protocol';
import { closeText, type CloseInfo, type Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { MillraceError } from './errors.js';
import { Outbox } from './outbox.js';
import { ResultReader } from './reader.js';
import type { KnownMessage } from './server-message.js';
import { Statistics, type LocalDropReason, type StreamStats } from './statistics.js';
import { Updates, type Update } from './updates.js';

/** What the listeners of each event get. */
export interface StreamEvents {
  /** A result arrived. Unless `frames()` is being read, it counts as consumed when the listeners return. */
  result: ResultMessage;
  /** An input frame, or for `unread` its result, was given up. */
  dropped: { readonly id: number; readonly reason: DropReason | LocalDropReason };
  updated: Update;
  /** Something went wrong that no call waits for; the stream goes on unless `close` follows. */
  error: MillraceError;
  /** The stream has ended; `error` says why, unless this side closed it. */
  close: CloseInfo & { readonly error: MillraceError | undefined };
}

export interface SendOptions {
  /** When the image was captured, in milliseconds of `performance.now()`; now, if left out. */
  readonly captured?: number | undefined;
}

interface OutgoingFrame {
  readonly id: number;
  readonly captured: number;
  readonly data: Uint8Array | Blob;
}

/** An open stream; `connect` makes it. */
export class MillraceStream implements AsyncDisposable {
  /** Opaque name of the session, for support and logs. */
  readonly session: string;
  /** Name and version of the server software. */
  readonly server: string;
  readonly model: string;
  readonly limits: Limits;
  readonly #connection: Connection;
  readonly #events = new Emitter<StreamEvents>();
  readonly #outbox: Outbox<OutgoingFrame>;
  readonly #statistics = new Statistics(() => performance.now());
  readonly #updates = new Updates();
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #parameters: StreamParameters;
  #reader: ResultReader | undefined;
  #nextFrame = 0;
  #received = 0;
  #acknowledged = 0;
  #reading = false;
  #closing = false;
  #ended = false;
  #failure: MillraceError | undefined;

  constructor(connection: Connection, ready: ReadyMessage) {
    this.session = ready.session;
    this.server = ready.server;
    this.model = ready.model;
    this.limits = ready.limits;
    this.#connection = connection;
    this.#parameters = ready.parameters;
    this.#outbox = new Outbox(ready.credits);
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    connection.handOver({
      message: (message) => this.#receive(message),
      violation: (error) => this.#fail(error),
      closed: (info) => this.#end(info),
    });
  }

  /** All parameters as the server last said they are. */
  get parameters(): StreamParameters {
    return this.#parameters;
  }

  /** Frames that would be sent at once; at 0 the newest waits here for the server's next grant. */
  get credits(): number {
    return this.#outbox.credits;
  }

  get closed(): boolean {
    return this.#closing || this.#ended;
  }

  /** Calls `listener` at every event of that name, until the returned function is called. */
  on<Name extends keyof StreamEvents>(name: Name, listener: (value: StreamEvents[Name]) => void): () => void {
    return this.#events.on(name, listener);
  }

  /**
   * Sends one image (a JPEG, PNG or WebP file), now or, without a credit, as soon as the server allows it.
   * A newer frame takes the place of one that still waits, which is then `dropped` for `no_credit`.
   * @returns the frame's id, which its result repeats.
   * @throws {MillraceError} closed
   */
  send(data: Uint8Array | Blob, options: SendOptions = {}): number {
    this.#assertOpen();
    const id = this.#nextFrame++;
    const displaced = this.#outbox.put({ id, captured: options.captured ?? performance.now(), data });
    if (displaced !== undefined) this.#drop(displaced.id, 'no_credit');
    void this.#flush();
    return id;
  }

  /**
   * Changes parameters, all at one frame boundary or not at all.
   * @throws {MillraceError} (as rejection) invalid_parameter with `field`, rate_limited, closed, ...
   */
  async update(parameters: ParameterUpdate): Promise<Update> {
    this.#assertOpen();
    return this.#updates.open((request) => this.#connection.send({ type: 'update', request, parameters }));
  }

  /**
   * The results as they come; the newest one if the consumer is slow. Asking for the next tells the server that
   * the one before was displayed, so results are never sent faster than they are consumed.
   * Ends when the stream is closed here; throws the error that ended it otherwise.
   * @throws {TypeError} while another iteration goes on.
   */
  frames(): AsyncIterableIterator<ResultMessage, undefined> {
    if (this.#reader !== undefined) throw new TypeError('frames() is being read already');
    const reader = new ResultReader({
      consumed: (frame) => this.#consume(frame),
      unread: (frame) => this.#drop(frame.id, 'unread'),
      ended: () => {
        this.#reader = undefined;
        this.#acknowledge(this.#received);
      },
    });
    this.#reader = reader;
    if (this.closed) reader.end(this.#failure);
    return reader;
  }

  stats(): StreamStats {
    return this.#statistics.read();
  }

  /** Closes the stream and waits until it is closed. Calling it again does no harm. */
  async close(): Promise<void> {
    if (!this.closed) {
      this.#closing = true;
      this.#connection.close();
    }
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #receive(message: KnownMessage): void {
    switch (message.type) {
      case 'credit':
        this.#outbox.allow(message.total);
        void this.#flush();
        return;
      case 'result':
        this.#receiveResult(message);
        return;
      case 'dropped':
        this.#drop(message.id, message.reason);
        return;
      case 'updated':
        this.#receiveUpdated(message);
        return;
      case 'error':
        this.#receiveError(message);
        return;
      case 'ready':
        this.#fail(new MillraceError('protocol_error'));
        this.#connection.close(4400, 'ready came twice');
    }
  }

  /** The connection is about to end, for this reason. */
  #fail(error: MillraceError): void {
    this.#failure ??= error;
    this.#events.emit('error', error);
  }

  #end(info: CloseInfo): void {
    this.#ended = true;
    if (!this.#closing) {
      const message = closeText('The connection to the server was lost', info);
      this.#failure ??= new MillraceError('connection_lost', { message });
    }
    this.#updates.rejectAll(this.#failure ?? new MillraceError('closed'));
    this.#reader?.end(this.#failure);
    this.#events.emit('close', { ...info, error: this.#failure });
    this.#resolveClosed();
  }

  #receiveResult(message: ResultMessage): void {
    this.#received = message.sequence;
    this.#reader?.push(message);
    this.#events.emit('result', message);
    if (this.#reader === undefined) this.#consume(message);
  }

  #receiveUpdated({ request, from, parameters }: UpdatedMessage): void {
    this.#parameters = parameters;
    const update = { from, parameters };
    this.#updates.resolve(request, update);
    this.#events.emit('updated', update);
  }

  #receiveError(message: ErrorMessage): void {
    const error = MillraceError.fromMessage(message);
    if (message.request !== undefined && this.#updates.reject(message.request, error)) return;
    if (error.fatal) this.#fail(error);
    else this.#events.emit('error', error);
  }

  #drop(id: number, reason: DropReason | LocalDropReason): void {
    this.#statistics.countDropped(reason);
    this.#events.emit('dropped', { id, reason });
  }

  #consume(frame: ResultMessage): void {
    this.#statistics.countConsumed(frame.captured, frame.timings);
    this.#acknowledge(frame.sequence);
  }

  #acknowledge(sequence: number): void {
    if (sequence <= this.#acknowledged) return;
    this.#acknowledged = sequence;
    this.#connection.send({ type: 'ack', sequence });
  }

  /** Sends what waits while there are credits; a Blob is read first, and frames stay in order meanwhile. */
  async #flush(): Promise<void> {
    while (!this.#reading && !this.closed) {
      const frame = this.#outbox.take();
      if (frame === undefined) return;
      this.#reading = true;
      try {
        const { id, captured } = frame;
        const data =
          frame.data instanceof Uint8Array ? frame.data : new Uint8Array(await frame.data.arrayBuffer());
        this.#connection.send({ type: 'frame', id, captured, data });
        this.#statistics.countSent();
      } catch (cause) {
        this.#outbox.refund();
        this.#events.emit('error', new MillraceError('invalid_frame', { cause, frame: frame.id }));
      } finally {
        this.#reading = false;
      }
    }
  }

  #assertOpen(): void {
    if (this.closed) throw this.#failure ?? new MillraceError('closed');
  }
}
