import type { HelloMessage, ParameterUpdate, QueuedMessage, ReadyMessage } from '@millrace/protocol';
import { Backoff } from './backoff.js';
import { closeError, type CloseInfo } from './closing.js';
import { Connection } from './connection.js';
import { MillraceError } from './errors.js';
import { askWhy, PassedRefusal } from './refusal.js';
import type { WebSocketConstructor } from './web-socket.js';

/** Time limit for opening a WebSocket, and then for the server's ready, queued or error. */
const openTimeoutMs = 10_000;
const answerTimeoutMs = 60_000;

/** An access token, or a function that returns one whenever it is needed. */
export type Token = string | (() => string | Promise<string>);

/** A connection on which the server is ready; it keeps its messages until `handOver`. */
export interface Opened {
  readonly connection: Connection;
  readonly ready: ReadyMessage;
}

interface DiallerOptions {
  readonly url: URL;
  readonly webSocket: WebSocketConstructor;
  readonly client: string;
  readonly token: Token | undefined;
  readonly queued: (place: QueuedMessage) => void;
}

/** What a stream does that still has another connection. */
interface Farewell {
  /** Called when the new connection is open: its `hello` is sent, with the newest resume token, after this. */
  readonly leave: () => Promise<void>;
  /** Called when the server has no free slot yet. */
  readonly wait: () => void;
}

export interface ReopenOptions extends Partial<Farewell> {
  readonly parameters: () => ParameterUpdate;
  /** Milliseconds. */
  readonly time: number;
  readonly signal: AbortSignal;
  readonly backoff?: Backoff;
  /** Called with the error before each further attempt. */
  readonly failed?: (error: MillraceError) => void;
  /** The refusal before the first pause; it may have a `retryAfter`. */
  readonly after?: MillraceError;
}

/** Opens the connections of one stream, the first and those after it. */
export class Dialler {
  readonly #options: DiallerOptions;
  #backoff: Backoff | undefined;
  /** The newest resume token. */
  resume: string | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Whether it can obtain a new access token when one expires. */
  get renewsTokens(): boolean {
    return typeof this.#options.token === 'function';
  }

  /** Ends the pause before the next attempt. */
  hurry(): void {
    this.#backoff?.hurry();
  }

  /**
   * Returns the current access token.
   * @throws {MillraceError} (as rejection) connection_failed, if the function for tokens fails.
   */
  async readToken(): Promise<string | undefined> {
    const { token } = this.#options;
    if (typeof token !== 'function') return token;
    try {
      return await token();
    } catch (cause) {
      const why = cause instanceof Error ? cause.message : String(cause);
      const message = `The access token could not be obtained: ${why}`;
      throw new MillraceError('connection_failed', { message, cause });
    }
  }

  /**
   * Connects once, and again if the reason of a refusal has passed meanwhile. Resumes if there is a resume token, and
   * starts with `parameters` otherwise.
   * @throws {MillraceError} (as rejection) connection_failed or the server's refusal; the reason of `signal` if that is
   *   aborted.
   */
  async open(
    parameters: ParameterUpdate,
    signal: AbortSignal,
    farewell: Partial<Farewell> = {},
  ): Promise<Opened> {
    try {
      return await this.#attempt(parameters, signal, farewell);
    } catch (error) {
      if (!(error instanceof PassedRefusal)) throw error;
      return this.#attempt(parameters, signal, farewell);
    }
  }

  async #attempt(
    parameters: ParameterUpdate,
    signal: AbortSignal,
    { leave, wait }: Partial<Farewell>,
  ): Promise<Opened> {
    const token = await this.readToken();
    signal.throwIfAborted();
    const { url, webSocket, client, queued } = this.#options;
    return new Promise((resolve, reject) => {
      let timer: ReturnType<typeof setTimeout>;
      let opened = false;
      let ended = false;
      const end = (): void => {
        ended = true;
        clearTimeout(timer);
        signal.removeEventListener('abort', abort);
      };
      const refuse = (reason: unknown): void => {
        end();
        connection.close();
        reject(reason);
      };
      const limit = (time: number, what: string): void => {
        clearTimeout(timer);
        const message = `${what} within ${time / 1000} seconds.`;
        timer = setTimeout(() => refuse(new MillraceError('connection_failed', { message })), time);
      };
      const greeting = async (): Promise<HelloMessage> => {
        opened = true;
        clearTimeout(timer);
        await leave?.();
        if (!ended) limit(answerTimeoutMs, 'The server did not answer');
        return {
          type: 'hello',
          client,
          ...(token !== undefined && { token }),
          ...(this.resume === undefined ? { parameters } : { resume: this.resume }),
          sent: performance.now(),
        };
      };
      const abort = (): void => refuse(signal.reason);
      const connection = new Connection(url, webSocket, greeting, {
        message: (message) => {
          if (message.type === 'ready') {
            end();
            connection.hold();
            resolve({ connection, ready: message });
          } else if (message.type === 'error') {
            refuse(MillraceError.fromMessage(message));
          } else if (message.type === 'queued') {
            clearTimeout(timer);
            wait?.();
            queued(message);
          }
        },
        violation: refuse,
        closed: (info) => {
          if (!ended) void this.#explain(connection, info, opened).then(refuse);
        },
      });
      limit(openTimeoutMs, 'The server could not be reached: no connection was opened');
      signal.addEventListener('abort', abort);
    });
  }

  /**
   * Connects, and tries again with growing pauses for `time` milliseconds.
   * @throws {MillraceError} (as rejection) the last one, if the time has passed or another attempt would not help.
   */
  async reopen({
    parameters,
    time,
    signal,
    backoff = new Backoff(),
    failed,
    after,
    ...farewell
  }: ReopenOptions): Promise<Opened> {
    const end = performance.now() + time;
    this.#backoff = backoff;
    let last = after;
    for (;;) {
      const most = Math.max(0, end - performance.now());
      await backoff.pause(signal, { least: (last?.retryAfter ?? 0) * 1000, most });
      try {
        return await this.open(parameters(), signal, farewell);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        last = error;
        if (error.code === 'invalid_resume_token' && this.resume !== undefined) this.resume = undefined;
        else if (!error.retryable || performance.now() >= end) throw error;
        else failed?.(error);
      }
    }
  }

  /** Returns why a connection ended before the server was ready. */
  async #explain(connection: Connection, info: CloseInfo, opened: boolean): Promise<MillraceError> {
    const mustAsk = !opened && !connection.tellsRefusals;
    const reason = connection.refusal ?? (mustAsk ? await askWhy(this.#options.url) : undefined);
    return reason ?? closeError('connection_failed', 'The server could not be reached', info);
  }
}
