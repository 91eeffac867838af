import type { HelloMessage, ParameterUpdate, QueuedMessage, ReadyMessage } from '@millrace/protocol';
import { Backoff } from './backoff.js';
import { closeText, Connection } from './connection.js';
import { MillraceError } from './errors.js';
import type { WebSocketConstructor } from './web-socket.js';

/** An access token, or what gives one whenever it is needed. */
export type Token = string | (() => string | Promise<string>);

/** A connection on which the server is ready; what it says waits until the connection is handed over. */
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

/** Opens the connections of one stream, the first and those after it. */
export class Dialler {
  readonly #options: DiallerOptions;
  #backoff: Backoff | undefined;
  /** What the server gave last to go on from. */
  resume: string | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  /** Whether another access token can be had when one expires. */
  get renewsTokens(): boolean {
    return typeof this.#options.token === 'function';
  }

  /** Ends the pause before the next try. */
  hurry(): void {
    this.#backoff?.hurry();
  }

  /**
   * The access token to show now.
   * @throws {MillraceError} (as rejection) connection_failed, if it cannot be had.
   */
  async readToken(): Promise<string | undefined> {
    const { token } = this.#options;
    if (typeof token !== 'function') return token;
    try {
      return await token();
    } catch (cause) {
      throw new MillraceError('connection_failed', { message: 'No access token could be had.', cause });
    }
  }

  /**
   * Connects once. Resumes if there is something to go on from, and starts with `parameters` otherwise.
   * @throws {MillraceError} (as rejection) connection_failed or what the server refuses it with; the reason of
   *   `signal` when that is aborted.
   */
  async open(parameters: ParameterUpdate, signal: AbortSignal): Promise<Opened> {
    const token = await this.readToken();
    signal.throwIfAborted();
    const { url, webSocket, client, queued } = this.#options;
    const greeting = (): HelloMessage => ({
      type: 'hello',
      client,
      ...(token !== undefined && { token }),
      ...(this.resume === undefined ? { parameters } : { resume: this.resume }),
      sent: performance.now(),
    });
    return new Promise((resolve, reject) => {
      const refuse = (reason: unknown): void => {
        signal.removeEventListener('abort', abort);
        connection.close();
        reject(reason);
      };
      const abort = (): void => refuse(signal.reason);
      const connection = new Connection(url, webSocket, greeting, {
        message: (message) => {
          if (message.type === 'ready') {
            signal.removeEventListener('abort', abort);
            connection.hold();
            resolve({ connection, ready: message });
          } else if (message.type === 'error') {
            refuse(MillraceError.fromMessage(message));
          } else if (message.type === 'queued') {
            queued(message);
          }
        },
        violation: refuse,
        closed: (info) => {
          const text = closeText('The server could not be reached', info);
          refuse(new MillraceError('connection_failed', { message: text }));
        },
      });
      signal.addEventListener('abort', abort);
    });
  }

  /**
   * Connects, and tries again with growing pauses for `time` milliseconds.
   * @throws {MillraceError} (as rejection) the last one, when the time is over or another try would not help.
   */
  async reopen(parameters: () => ParameterUpdate, time: number, signal: AbortSignal): Promise<Opened> {
    const end = performance.now() + time;
    const backoff = new Backoff();
    this.#backoff = backoff;
    for (;;) {
      await backoff.pause(signal);
      try {
        return await this.open(parameters(), signal);
      } catch (error) {
        if (!(error instanceof MillraceError)) throw error;
        if (error.code === 'invalid_resume_token') this.resume = undefined;
        else if (!error.retryable || performance.now() >= end) throw error;
      }
    }
  }
}
