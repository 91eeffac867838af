import type { ParameterUpdate, QueuedMessage } from '@millrace/protocol';
import { Dialler, type Opened, type Token } from './dialler.js';
import { MillraceError, type MillraceErrorCode } from './errors.js';
import { MillraceStream } from './stream.js';
import { streamUrl } from './url.js';
import { globalWebSocket, type WebSocketConstructor } from './web-socket.js';

export interface ConnectOptions {
  /** Initial parameters; omitted ones have the model's defaults. */
  readonly parameters?: ParameterUpdate | undefined;
  /** An API key or JWT; a function is called again before the token in use expires. */
  readonly token?: Token | undefined;
  /** Name and version of the application, for the server's log. */
  readonly client?: string | undefined;
  /** Seconds to wait for a server that is starting or restarting; default 120, 0 for not at all. */
  readonly waitSeconds?: number | undefined;
  /** Seconds for which to try to connect again after a loss; default 30, 0 for not at all. */
  readonly reconnectSeconds?: number | undefined;
  /** The WebSocket class, if the runtime has none (Node 20: that of the package ws). */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Called while the stream waits for a free slot of the server. */
  readonly queued?: ((place: QueuedMessage) => void) | undefined;
  /** Called with the reason (`not_ready`, ...) before each further attempt, for up to `waitSeconds`. */
  readonly waiting?: ((reason: MillraceError) => void) | undefined;
  /** Cancels connecting; has no effect on an open stream, which `close` closes. */
  readonly signal?: AbortSignal | undefined;
}

/** Refusals of a server that will soon be ready. */
const transientRefusals: ReadonlySet<MillraceErrorCode> = new Set(['not_ready', 'shutting_down']);

/**
 * Opens a stream; waits for a server that is still starting. An attempt fails if the connection is not open within 10
 * seconds, or the server does not answer `hello` within a minute.
 * @param url address of the server; http and https mean ws and wss, and the default path is /v1/stream. Without a
 *   scheme, localhost, 127.0.0.1 and [::1] use ws, and all other hosts wss.
 * @throws {MillraceError} (as rejection) no_websocket, invalid_url, connection_failed, or the server's refusal:
 *   invalid_parameter, limit_exceeded, unauthorized, forbidden_origin, not_ready, too_many_sessions, ...
 */
export async function connect(url: string | URL, options: ConnectOptions = {}): Promise<MillraceStream> {
  const {
    parameters = {},
    token,
    client = '@millrace/client',
    waitSeconds = 120,
    reconnectSeconds = 30,
    webSocket = globalWebSocket(),
    queued = () => {},
    waiting = () => {},
    signal = new AbortController().signal,
  } = options;
  if (webSocket === undefined) throw new MillraceError('no_websocket');
  const dialler = new Dialler({ url: streamUrl(url), webSocket, client, token, queued });
  const wait = async (reason: unknown): Promise<Opened> => {
    const passing = reason instanceof MillraceError && transientRefusals.has(reason.code);
    if (!passing || waitSeconds <= 0) throw reason;
    waiting(reason);
    const time = waitSeconds * 1000;
    return dialler.reopen({ parameters: () => parameters, time, signal, failed: waiting, after: reason });
  };
  const opened = await dialler.open(parameters, signal).catch(wait);
  return new MillraceStream(dialler, opened, { parameters, grace: reconnectSeconds * 1000 });
}
