import type { DrainMessage, ParameterUpdate, ReadyMessage } from '@millrace/protocol';
import { ClockFilter } from './clock-filter.js';
import { closeError, type CloseInfo } from './closing.js';
import type { Connection } from './connection.js';
import { Departure } from './departure.js';
import type { Dialler, Opened, ReopenOptions } from './dialler.js';
import { MillraceError } from './errors.js';
import { Persistence } from './persistence.js';
import type { ReceivedMessage } from './server-message.js';

const pingPeriodMs = 2000;
/** Number of pings without any message from the server after which the connection counts as lost. */
const maxUnansweredPings = 3;
/** Fraction of a token's lifetime after which it is renewed. */
const renewalPoint = 0.8;
/** Limit of `setTimeout`. */
const longestTimerMs = 2 ** 31 - 1;

/** Messages about pictures and parameters rather than the connection. */
export type StreamMessage = Exclude<
  ReceivedMessage,
  { readonly type: 'queued' | 'ready' | 'pong' | 'checkpoint' | 'drain' }
>;

/** The stream, as seen by its link. */
export interface LinkOwner {
  /** Switches to this connection. */
  adopt(connection: Connection, ready: ReadyMessage): void;
  receive(message: StreamMessage): void;
  /** Returns the parameters with which a new stream continues this one. */
  startParameters(): ParameterUpdate;
  reconnecting(error: MillraceError): void;
  reconnected(resumed: boolean): void;
  draining(drain: DrainMessage): void;
  /** Sends no frame until `goOn` or `adopt`. */
  hold(): void;
  goOn(): void;
  /** Returns whether frames of this connection have no answer yet. */
  waiting(): boolean;
  /** Reports an error that the stream survives. */
  failed(error: MillraceError): void;
  /** Called once, last; without an error if this side closed the stream. */
  ended(info: CloseInfo, error: MillraceError | undefined): void;
}

/**
 * Keeps a stream connected: reconnects after a loss, and moves to another server when one drains. Owns the state of a
 * connection: clock, resume token, access token.
 */
export class Link {
  readonly #dialler: Dialler;
  readonly #owner: LinkOwner;
  readonly #grace: number;
  readonly #persistence: Persistence;
  readonly #clock = new ClockFilter();
  readonly #departure = new Departure();
  readonly #stop = new AbortController();
  #connection: Connection | undefined;
  #fatal: MillraceError | undefined;
  #move: Promise<boolean> | undefined;
  #pings: ReturnType<typeof setInterval> | undefined;
  #renewal: ReturnType<typeof setTimeout> | undefined;
  #unanswered = 0;
  #reconnects = 0;

  /** @param grace milliseconds for which to try to connect again after a loss. */
  constructor(dialler: Dialler, owner: LinkOwner, grace: number) {
    this.#dialler = dialler;
    this.#owner = owner;
    this.#grace = grace;
    this.#persistence = new Persistence(grace);
  }

  get closing(): boolean {
    return this.#stop.signal.aborted;
  }

  /** Number of times that the connection was replaced. */
  get reconnects(): number {
    return this.#reconnects;
  }

  /** Round trip to the server in milliseconds. */
  get roundTrip(): number | undefined {
    return this.#clock.roundTrip;
  }

  /** Starts, or continues, with this connection. */
  start({ connection, ready }: Opened): void {
    this.#connection = connection;
    this.#fatal = undefined;
    this.#unanswered = 0;
    this.#persistence.opened();
    this.#departure.begin();
    // The new server has another clock.
    this.#clock.forget();
    this.#owner.adopt(connection, ready);
    this.#renewLater(ready.token_expires);
    this.#pings = setInterval(() => this.#ping(connection), pingPeriodMs);
    this.#ping(connection);
    connection.handOver({
      message: (message) => {
        this.#receive(connection, message);
        this.#departure.received(message.type);
      },
      violation: (error) => (this.#fatal = error),
      closed: (info) => {
        this.#departure.lost();
        this.#leave();
        void this.#recover(info);
      },
    });
  }

  /** Closes the connection, or stops trying to open one; `ended` follows. */
  close(): void {
    this.#stop.abort(new MillraceError('closed'));
    this.#connection?.close();
  }

  /** Ends the pause before the next attempt. */
  hurry(): void {
    this.#dialler.hurry();
  }

  #leave(): void {
    clearInterval(this.#pings);
    clearTimeout(this.#renewal);
  }

  #replace(opened: Opened): void {
    this.#reconnects += 1;
    this.start(opened);
    this.#owner.reconnected(opened.ready.resumed);
  }

  async #recover(info: CloseInfo): Promise<void> {
    const error = this.#fatal ?? closeError('connection_lost', 'The connection to the server was lost', info);
    const time = this.#persistence.lost();
    const lost = !this.closing && error.retryable && time > 0;
    if (lost) this.#owner.reconnecting(error);
    if ((await this.#move) === true) return;
    try {
      if (!lost) throw error;
      const { backoff } = this.#persistence;
      this.#replace(await this.#reopen({ time, backoff }));
    } catch (cause) {
      if (!(cause instanceof MillraceError)) throw cause;
      this.#owner.ended(info, this.closing ? undefined : cause);
    }
  }

  async #reopen(options: Omit<ReopenOptions, 'parameters' | 'signal'>): Promise<Opened> {
    const { signal } = this.#stop;
    const parameters = (): ParameterUpdate => this.#owner.startParameters();
    const opened = await this.#dialler.reopen({ ...options, parameters, signal });
    if (!signal.aborted) return opened;
    opened.connection.close();
    throw signal.reason;
  }

  #receive(connection: Connection, message: ReceivedMessage): void {
    this.#unanswered = 0;
    switch (message.type) {
      case 'pong':
        this.#clock.add({ sent: message.sent, received: message.received, returned: performance.now() });
        return;
      case 'checkpoint':
        this.#dialler.resume = message.token;
        return;
      case 'drain':
        this.#receiveDrain(connection, message);
        return;
      case 'authenticated':
        this.#renewLater(message.expires_seconds);
        this.#owner.receive(message);
        return;
      case 'ready':
      case 'queued':
        // It is unknown which of two sessions the server means (PROTOCOL.md section 4).
        this.#fatal = new MillraceError('protocol_error', {
          message: `The server sent ${message.type} late, on an open stream.`,
        });
        connection.close(4400, `${message.type} came late`);
        return;
      case 'error': {
        const error = MillraceError.fromMessage(message);
        if (error.fatal) this.#fatal = error;
        else this.#owner.receive(message);
        return;
      }
      case 'result':
        this.#persistence.settled();
        this.#owner.receive(message);
        return;
      default:
        this.#owner.receive(message);
    }
  }

  #receiveDrain(connection: Connection, drain: DrainMessage): void {
    this.#dialler.resume = drain.token ?? this.#dialler.resume;
    this.#owner.draining(drain);
    if (this.#grace > 0) this.#move ??= this.#moveOver(connection, drain.deadline_seconds * 1000);
  }

  /**
   * Connects to the server that replaces a stopping one, and then leaves the old connection: as soon as the other server
   * can be reached, no frame is sent any more to the old one, and `hello` waits for the results of those that were. The
   * stream goes on over the old connection while it waits for a slot or for another attempt.
   */
  async #moveOver(connection: Connection, time: number): Promise<boolean> {
    const end = performance.now() + time / 2;
    const answers = async (): Promise<void> => {
      this.#owner.hold();
      await this.#departure.answers(() => this.#owner.waiting(), end - performance.now());
    };
    const goOn = (): void => {
      if (!this.closing) this.#owner.goOn();
    };
    try {
      const opened = await this.#reopen({
        time,
        leave: async () => {
          await answers();
          await this.#departure.token();
        },
        wait: goOn,
        failed: goOn,
      });
      // Frames were sent if it had to wait for a slot.
      await answers();
      connection.leave();
      this.#leave();
      this.#move = undefined;
      this.#replace(opened);
      return true;
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#move = undefined;
      goOn();
      return false;
    }
  }

  #ping(connection: Connection): void {
    if (this.#unanswered >= maxUnansweredPings) {
      connection.abandon();
      return;
    }
    this.#unanswered += 1;
    const { offset } = this.#clock;
    connection.send({ type: 'ping', sent: performance.now(), ...(offset !== undefined && { offset }) });
  }

  #renewLater(seconds: number | undefined): void {
    clearTimeout(this.#renewal);
    if (seconds === undefined || !this.#dialler.renewsTokens) return;
    this.#renewal = setTimeout(
      () => void this.#renew(),
      Math.min(seconds * 1000 * renewalPoint, longestTimerMs),
    );
  }

  /** Sends a new access token; without one, the server closes when the current token expires. */
  async #renew(): Promise<void> {
    try {
      const token = await this.#dialler.readToken();
      if (token !== undefined) this.#connection?.send({ type: 'authenticate', token });
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#owner.failed(error);
    }
  }
}
