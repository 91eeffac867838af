import type {
  DropReason,
  Limits,
  ParameterUpdate,
  ReadyMessage,
  ResultMessage,
  StreamParameters,
  UpdatedMessage,
} from '@millrace/protocol';
import type { CloseInfo, Connection } from './connection.js';
import type { Dialler, Opened } from './dialler.js';
import { Emitter } from './emitter.js';
import { MillraceError, type ReceivedError } from './errors.js';
import { FrameSender } from './frame-sender.js';
import { Freshness } from './freshness.js';
import { InFlight } from './in-flight.js';
import { Link, type StreamMessage } from './link.js';
import { ResultReader, type Arrival } from './reader.js';
import type { StreamEvents } from './stream-events.js';
import { Statistics, type LocalDropReason, type StreamStats } from './statistics.js';
import { Updates, type Update } from './updates.js';

export interface SendOptions {
  /** When the image was captured, in milliseconds of `performance.now()`; now, if left out. */
  readonly captured?: number | undefined;
}

/** An open stream; `connect` makes it. */
export class MillraceStream implements AsyncDisposable {
  readonly #link: Link;
  readonly #events = new Emitter<StreamEvents>();
  readonly #sender: FrameSender;
  readonly #inFlight = new InFlight();
  readonly #freshness = new Freshness();
  readonly #statistics = new Statistics(() => performance.now());
  readonly #updates: Updates;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #connection: Connection;
  #ready: ReadyMessage;
  #parameters: StreamParameters;
  #reader: ResultReader | undefined;
  #newest: Arrival | undefined;
  #acknowledged = 0;
  #nextFrame = 0;
  #ended = false;
  #failure: MillraceError | undefined;

  constructor(
    dialler: Dialler,
    opened: Opened,
    options: { readonly parameters: ParameterUpdate; readonly grace: number },
  ) {
    this.#updates = new Updates(options.parameters);
    this.#connection = opened.connection;
    this.#ready = opened.ready;
    this.#parameters = opened.ready.parameters;
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#sender = new FrameSender(opened.connection, {
      sent: (id) => {
        this.#inFlight.add(id);
        this.#statistics.countSent();
      },
      displaced: (id) => this.#drop(id, 'no_credit'),
      failed: (error) => this.#events.emit('error', error),
    });
    this.#link = new Link(
      dialler,
      {
        adopt: (connection, ready) => this.#adopt(connection, ready),
        receive: (message) => this.#receive(message),
        startParameters: () => this.#updates.chosen,
        reconnecting: (error) => {
          this.#sender.suspend();
          this.#events.emit('reconnecting', error);
        },
        reconnected: (resumed) => this.#events.emit('reconnected', { resumed }),
        draining: (drain) => this.#events.emit('drain', { deadlineSeconds: drain.deadline_seconds }),
        failed: (error) => this.#events.emit('error', error),
        ended: (info, error) => this.#end(info, error),
      },
      options.grace,
    );
    this.#link.start(opened);
  }

  /** Opaque name of the session, for support and logs. */
  get session(): string {
    return this.#ready.session;
  }

  /** Name and version of the server software. */
  get server(): string {
    return this.#ready.server;
  }

  get model(): string {
    return this.#ready.model;
  }

  get limits(): Limits {
    return this.#ready.limits;
  }

  /** All parameters as the server last said they are. */
  get parameters(): StreamParameters {
    return this.#parameters;
  }

  /** Frames that would be sent at once; at 0 the newest waits here for the server's next grant. */
  get credits(): number {
    return this.#sender.credits;
  }

  get closed(): boolean {
    return this.#link.closing || this.#ended;
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
    this.#sender.send({ id, captured: options.captured ?? performance.now(), data });
    return id;
  }

  /**
   * Changes parameters, all at one frame boundary or not at all. If the connection is lost meanwhile, the change is
   * made over the next one.
   * @throws {MillraceError} (as rejection) invalid_parameter with `field`, rate_limited, closed, ...
   */
  async update(parameters: ParameterUpdate): Promise<Update> {
    this.#assertOpen();
    return this.#updates.open(parameters, this.#sendUpdate);
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
      consumed: (arrival) => this.#consume(arrival),
      unread: ({ frame }) => this.#drop(frame.id, 'unread'),
      refused: (arrival) =>
        this.#freshness.outlived(arrival.time, performance.now()) && this.#giveUp(arrival),
      ended: () => {
        this.#reader = undefined;
        if (this.#newest !== undefined) this.#acknowledge(this.#newest);
      },
    });
    this.#reader = reader;
    if (this.closed) reader.end(this.#failure);
    return reader;
  }

  stats(): StreamStats {
    return this.#statistics.read(this.#link.roundTrip, this.#link.reconnects);
  }

  /** Ends the pause before the next try, while the connection is sought anew: the network is back, say. */
  retryNow(): void {
    this.#link.hurry();
  }

  /** Closes the stream and waits until it is closed. Calling it again does no harm. */
  async close(): Promise<void> {
    if (!this.closed) this.#link.close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Goes on with this connection. */
  #adopt(connection: Connection, ready: ReadyMessage): void {
    this.#connection = connection;
    this.#ready = ready;
    this.#parameters = ready.parameters;
    if (!ready.resumed) this.#lose(this.#inFlight.clear());
    this.#inFlight.orphan();
    this.#freshness.forget();
    this.#acknowledged = 0;
    this.#updates.repeat(this.#sendUpdate);
    this.#sender.adopt(connection, ready.credits);
  }

  #receive(message: StreamMessage): void {
    this.#freshness.hear(performance.now());
    switch (message.type) {
      case 'credit':
        this.#sender.allow(message.total);
        return;
      case 'result':
        this.#receiveResult(message);
        return;
      case 'dropped':
        this.#inFlight.dropped(message.id);
        this.#drop(message.id, message.reason);
        return;
      case 'updated':
        this.#receiveUpdated(message);
        return;
      case 'quality':
        this.#events.emit('quality', { fps: message.fps });
        return;
      case 'error':
        this.#receiveError(message);
    }
  }

  #end(info: CloseInfo, error: MillraceError | undefined): void {
    this.#ended = true;
    this.#failure = error;
    this.#lose(this.#inFlight.clear());
    this.#updates.rejectAll(error ?? new MillraceError('closed'));
    this.#reader?.end(error);
    this.#events.emit('close', { ...info, error });
    this.#resolveClosed();
  }

  #receiveResult(frame: ResultMessage): void {
    this.#lose(this.#inFlight.finished(frame.id));
    const arrival = { frame, time: performance.now(), connection: this.#connection };
    this.#newest = arrival;
    const fresh = this.#freshness.admit(frame, arrival.time);
    if (!fresh && this.#giveUp(arrival)) return;
    this.#reader?.push(arrival);
    this.#events.emit('result', frame);
    if (this.#reader === undefined) this.#consume(arrival);
  }

  #receiveUpdated({ request, from, parameters }: UpdatedMessage): void {
    this.#parameters = parameters;
    const update = { from, parameters };
    this.#updates.resolve(request, update);
    this.#events.emit('updated', update);
  }

  #receiveError(message: ReceivedError): void {
    const error = MillraceError.fromMessage(message);
    if (message.request !== undefined && this.#updates.reject(message.request, error)) return;
    this.#events.emit('error', error);
  }

  readonly #sendUpdate = (request: number, parameters: ParameterUpdate): void =>
    this.#connection.send({ type: 'update', request, parameters });

  #lose(frames: readonly number[]): void {
    for (const id of frames) this.#drop(id, 'failed');
  }

  #drop(id: number, reason: DropReason | LocalDropReason): void {
    this.#statistics.countDropped(reason);
    this.#events.emit('dropped', { id, reason });
  }

  /** Gives up a result that is old. @returns false if no newer one is on its way: then it is the best there is. */
  #giveUp(arrival: Arrival): boolean {
    const { id } = arrival.frame;
    if (!this.#inFlight.hasNewer(id) && this.#parameters.mode !== 'txt2img') return false;
    this.#drop(id, 'stale');
    this.#acknowledge(arrival);
    return true;
  }

  #consume(arrival: Arrival): void {
    this.#statistics.countConsumed(arrival.frame, arrival.time, this.#parameters.mode === 'txt2img');
    this.#acknowledge(arrival);
  }

  /** What came over a former connection has nobody left to be acknowledged to. */
  #acknowledge({ frame: { sequence }, connection }: Arrival): void {
    if (connection !== this.#connection || sequence <= this.#acknowledged) return;
    this.#acknowledged = sequence;
    connection.send({ type: 'ack', sequence });
  }

  #assertOpen(): void {
    if (this.closed) throw this.#failure ?? new MillraceError('closed');
  }
}
