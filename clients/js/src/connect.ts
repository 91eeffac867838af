import type { ParameterUpdate } from '@millrace/protocol';
import { closeText, Connection } from './connection.js';
import { MillraceError } from './errors.js';
import { MillraceStream } from './stream.js';
import { streamUrl } from './url.js';
import { globalWebSocket, type WebSocketConstructor } from './web-socket.js';

export interface ConnectOptions {
  /** Parameters to start with; what is left out has the model's defaults. */
  readonly parameters?: ParameterUpdate | undefined;
  /** Name and version of the application, for the server's log. */
  readonly client?: string | undefined;
  /** The WebSocket class to use where the runtime has none of its own (Node 20: that of the package ws). */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Gives up connecting; an open stream is closed with `close`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a stream.
 * @param url of the server; http and https are taken as ws and wss, and without a path /v1/stream is meant.
 * @throws {MillraceError} (as rejection) no_websocket, connection_failed, or what the server refuses it with:
 *   invalid_parameter, not_ready, too_many_sessions, ...
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<MillraceStream> {
  const webSocket = options.webSocket ?? globalWebSocket();
  if (webSocket === undefined) throw new MillraceError('no_websocket');
  const { signal, parameters, client = '@millrace/client' } = options;
  signal?.throwIfAborted();

  const hello = { type: 'hello', client, ...(parameters && { parameters }) } as const;
  return new Promise((resolve, reject) => {
    const settle = (): void => signal?.removeEventListener('abort', abort);
    const refuse = (reason: unknown): void => {
      settle();
      reject(reason);
      connection.close();
    };
    const abort = (): void => refuse(signal?.reason);
    const connection = new Connection(streamUrl(url), webSocket, hello, {
      message: (message) => {
        if (message.type === 'ready') {
          settle();
          resolve(new MillraceStream(connection, message));
        } else if (message.type === 'error') {
          refuse(MillraceError.fromMessage(message));
        }
      },
      violation: refuse,
      closed: (info) => {
        const message = closeText('The server could not be reached', info);
        refuse(new MillraceError('connection_failed', { message }));
      },
    });
    signal?.addEventListener('abort', abort);
  });
}
