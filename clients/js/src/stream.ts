import { encodeMessage } from '@millrace/protocol';
import type {
  DropReason,
  Limits,
  ParameterUpdate,
  ReadyMessage,
  ResultMessage,
  StreamParameters,
  UnderstoodPrompt,
  UpdatedMessage,
} from '@millrace/protocol';
import type { CloseInfo } from './closing.js';
import type { Connection } from './connection.js';
import type { Dialler, Opened } from './dialler.js';
import { Emitter } from './emitter.js';
import { MillraceError, type ReceivedError } from './errors.js';
import { lostError, LostPicture } from './lost-picture.js';
import { FrameSender, type SendOptions } from './frame-sender.js';
import { tooLarge } from './message-size.js';
import { InFlight } from './in-flight.js';
import { Link, type StreamMessage } from './link.js';
import { Results, type FramesOptions } from './results.js';
import type { StreamEvents } from './stream-events.js';
import { Statistics, type LocalDropReason, type StreamStats } from './statistics.js';
import { Updates, type Update } from './updates.js';

/** An open stream, created by `connect`. */
export class MillraceStream implements AsyncDisposable {
  readonly #link: Link;
  readonly #events = new Emitter<StreamEvents>();
  readonly #sender: FrameSender;
  readonly #inFlight = new InFlight();
  readonly #results: Results;
  readonly #lostPicture = new LostPicture((id) => this.#giveUp(id));
  readonly #statistics = new Statistics(() => performance.now());
  readonly #updates: Updates;
  readonly #closed: Promise<void>;
  #resolveClosed: () => void = () => {};
  #connection: Connection;
  #ready: ReadyMessage;
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
    this.#closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#results = new Results(opened.connection, {
      arrived: (frame) => this.#events.emit('result', frame),
      heard: () => this.#events.listened('result'),
      consumed: ({ frame, time }) =>
        this.#statistics.countConsumed(frame, time, this.parameters.mode === 'txt2img'),
      drop: (id, reason) => this.#drop(id, reason),
      expectsAfter: (id) => this.#inFlight.hasNewer(id) || this.parameters.mode === 'txt2img',
    });
    this.#sender = new FrameSender(opened, {
      sent: (id) => {
        this.#inFlight.add(id);
        this.#lostPicture.forget();
        this.#statistics.countSent();
      },
      displaced: (id) => this.#drop(id, 'no_credit'),
      refused: (id, error) => {
        this.#drop(id, 'invalid');
        this.#refuse(error);
      },
    });
    this.#link = new Link(
      dialler,
      {
        adopt: (connection, ready) => this.#adopt(connection, ready),
        receive: (message) => this.#receive(message),
        startParameters: () => this.#updates.chosen,
        hold: () => this.#sender.hold(),
        goOn: () => this.#sender.goOn(),
        waiting: () => this.#inFlight.waiting,
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

  /** All parameters, as last reported by the server. */
  get parameters(): StreamParameters {
    return this.#ready.parameters;
  }

  /** What the model made of each prompt in force; undefined if the server does not say. */
  get understood(): readonly UnderstoodPrompt[] | undefined {
    return this.#ready.understood;
  }

  /** Number of frames that would be sent at once; at 0 the newest frame waits for the next credit. */
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
   * Sends one image (a JPEG, PNG or WebP file), and those of controls, at once or as soon as there is a credit.
   * A newer frame replaces one that still waits, which is then `dropped` for `no_credit`.
   * @returns the frame's id, which its result repeats.
   * @throws {MillraceError} closed, or message_too_large if the message would exceed `limits.message_bytes`.
   */
  send(data: Uint8Array | Blob, options: SendOptions = {}): number {
    this.#assertOpen();
    const id = this.#nextFrame;
    const { captured = performance.now(), mask, controls } = options;
    this.#sender.send({ id, captured, data, mask, controls });
    this.#nextFrame += 1;
    return id;
  }

  /**
   * Changes parameters, all at one frame boundary or not at all. If the connection is lost before the answer, the
   * update is sent again over the next one.
   * @throws {MillraceError} (as rejection) invalid_parameter or limit_exceeded with `field`, rate_limited, message_too_large, closed, ...
   */
  async update(parameters: ParameterUpdate): Promise<Update> {
    this.#assertOpen();
    return this.#updates.open(parameters, this.#sendUpdate);
  }

  /**
   * Iterates over the results as they arrive; only the newest one if the consumer is slow. Requesting the next result
   * acknowledges the previous one, so results are never sent faster than they are consumed.
   *
   * A picture that was refused (invalid_frame, ...), or lost with its connection (connection_lost), has no result: the
   * iteration then throws the MillraceError, whose `frame` is the picture's id, and the stream stays open for another
   * iteration; with `skipRefused` the iteration continues instead. The `error` event has the error in either case.
   * The iteration ends when this side closes the stream, and otherwise throws the error that ended it.
   * @throws {TypeError} during another iteration.
   */
  frames(options: FramesOptions = {}): AsyncIterableIterator<ResultMessage, undefined> {
    const reader = this.#results.read(options);
    if (this.closed) reader.end(this.#failure);
    return reader;
  }

  stats(): StreamStats {
    return this.#statistics.read(this.#link.roundTrip, this.#link.reconnects);
  }

  /** Ends the pause before the next attempt to reconnect, for example when the network is back. */
  retryNow(): void {
    this.#link.hurry();
  }

  /** Closes the stream and waits until it is closed. May be called more than once. */
  async close(): Promise<void> {
    if (!this.closed) this.#link.close();
    return this.#closed;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Switches to this connection. */
  #adopt(connection: Connection, ready: ReadyMessage): void {
    this.#connection = connection;
    this.#ready = ready;
    this.#lostPicture.await(this.#inFlight.newest);
    if (!ready.resumed) this.#lose(this.#inFlight.clear());
    this.#inFlight.orphan();
    this.#results.adopt(connection);
    this.#updates.repeat(this.#sendUpdate);
    this.#sender.adopt(connection, ready.credits, ready.limits.message_bytes);
  }

  #receive(message: StreamMessage): void {
    this.#results.hear();
    switch (message.type) {
      case 'credit':
        this.#sender.allow(message.total);
        return;
      case 'result':
        if (this.#inFlight.repeats(message.id) && this.parameters.mode !== 'txt2img')
          return this.#results.skip(message);
        this.#lostPicture.answered(message.id);
        this.#lose(this.#inFlight.finished(message.id));
        this.#results.receive(message);
        return;
      case 'dropped':
        this.#lostPicture.answered(message.id);
        this.#inFlight.dropped(message.id);
        this.#drop(message.id, message.reason);
        return;
      case 'updated':
        this.#receiveUpdated(message);
        return;
      case 'quality':
        this.#events.emit('quality', { fps: message.fps });
        return;
      case 'authenticated':
        this.#ready = { ...this.#ready, limits: message.limits ?? this.limits };
        return;
      case 'error':
        this.#receiveError(message);
    }
  }

  #end(info: CloseInfo, error: MillraceError | undefined): void {
    this.#ended = true;
    this.#failure = error;
    this.#lostPicture.forget();
    this.#lose(this.#inFlight.clear());
    this.#updates.rejectAll(error ?? new MillraceError('closed'));
    this.#results.end(error);
    this.#events.emit('close', { ...info, error });
    this.#resolveClosed();
  }

  #receiveUpdated({ request, from, parameters, understood }: UpdatedMessage): void {
    const update = { from, parameters, ...(understood && { understood }) };
    this.#ready = { ...this.#ready, parameters, ...(understood && { understood }) };
    this.#updates.resolve(request, update);
    this.#events.emit('updated', update);
  }

  #receiveError(message: ReceivedError): void {
    const error = MillraceError.fromMessage(message);
    if (message.request !== undefined && this.#updates.reject(message.request, error)) return;
    this.#refuse(error);
  }

  /** Reports a refusal that no pending call receives; that of a picture also to the iteration over the results. */
  #refuse(error: MillraceError): void {
    this.#events.emit('error', error);
    if (error.frame !== undefined) this.#results.refuse(error);
  }

  readonly #sendUpdate = (request: number, parameters: ParameterUpdate): void => {
    const message = { type: 'update', request, parameters } as const;
    const { message_bytes: most } = this.limits;
    if (encodeMessage(message).length <= most) this.#connection.send(message);
    else this.#updates.reject(request, tooLarge('The update', most));
  };

  /** Stops waiting for the result of a picture that was sent over a former connection. */
  #giveUp(id: number): void {
    this.#lose(this.#inFlight.clear());
    this.#refuse(lostError(id));
  }

  #lose(frames: readonly number[]): void {
    for (const id of frames) this.#drop(id, 'failed');
  }

  #drop(id: number, reason: DropReason | LocalDropReason): void {
    this.#statistics.countDropped(reason);
    this.#events.emit('dropped', { id, reason });
  }

  #assertOpen(): void {
    if (this.closed) throw this.#failure ?? new MillraceError('closed');
  }
}
