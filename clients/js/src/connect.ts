import type { ParameterUpdate, QueuedMessage } from '@millrace/protocol';
import { Dialler, type Token } from './dialler.js';
import { MillraceError } from './errors.js';
import { MillraceStream } from './stream.js';
import { streamUrl } from './url.js';
import { globalWebSocket, type WebSocketConstructor } from './web-socket.js';

export interface ConnectOptions {
  /** Parameters to start with; what is left out has the model's defaults. */
  readonly parameters?: ParameterUpdate | undefined;
  /** An API key or JWT; as a function, it is asked again before the one in use expires. */
  readonly token?: Token | undefined;
  /** Name and version of the application, for the server's log. */
  readonly client?: string | undefined;
  /** How long a lost connection is sought anew; 30 if left out, 0 for not at all. */
  readonly reconnectSeconds?: number | undefined;
  /** The WebSocket class to use where the runtime has none of its own (Node 20: that of the package ws). */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Called while the server has no place free; the stream opens when it has. */
  readonly queued?: ((place: QueuedMessage) => void) | undefined;
  /** Gives up connecting; an open stream is closed with `close`. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Opens a stream.
 * @param url of the server; http and https are taken as ws and wss, and without a path /v1/stream is meant.
 * @throws {MillraceError} (as rejection) no_websocket, connection_failed, or what the server refuses it with:
 *   invalid_parameter, unauthorized, not_ready, too_many_sessions, ...
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<MillraceStream> {
  const {
    parameters = {},
    token,
    client = '@millrace/client',
    reconnectSeconds = 30,
    webSocket = globalWebSocket(),
    queued = () => {},
    signal = new AbortController().signal,
  } = options;
  if (webSocket === undefined) throw new MillraceError('no_websocket');
  const dialler = new Dialler({ url: streamUrl(url), webSocket, client, token, queued });
  const opened = await dialler.open(parameters, signal);
  return new MillraceStream(dialler, opened, { parameters, grace: reconnectSeconds * 1000 });
}
