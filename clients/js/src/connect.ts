import type { ParameterUpdate, QueuedMessage } from '@millrace/protocol';
import { Dialler, type Opened, type Token } from './dialler.js';
import { MillraceError, type MillraceErrorCode } from './errors.js';
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
  /**
   * Seconds to wait for a server that is still starting, or is being restarted; 120 if left out, 0 for not at all.
   */
  readonly waitSeconds?: number | undefined;
  /** Seconds for which to try to connect again after a loss; 30 if left out, 0 for not at all. */
  readonly reconnectSeconds?: number | undefined;
  /** The WebSocket class to use where the runtime has none of its own (Node 20: that of the package ws). */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Called while the server has no place free; the stream opens when it has. */
  readonly queued?: ((place: QueuedMessage) => void) | undefined;
  /** Called with the reason (`not_ready`, ...) before each further try, for up to `waitSeconds`. */
  readonly waiting?: ((reason: MillraceError) => void) | undefined;
  /** Gives up connecting; an open stream is closed with `close`. */
  readonly signal?: AbortSignal | undefined;
}

/** Refusals of a server that will soon be ready. */
const waitedFor: ReadonlySet<MillraceErrorCode> = new Set(['not_ready', 'shutting_down']);

/**
 * Opens a stream. A server that is still starting is waited for. A connection that is not open within 10 seconds has
 * failed, and so has one on which the server does not answer for a minute after `hello`.
 * @param url of the server; http and https are taken as ws and wss, and without a path /v1/stream is meant. Without a
 *   scheme, ws is meant for localhost, 127.0.0.1 and [::1], and wss for every other host.
 * @throws {MillraceError} (as rejection) no_websocket, invalid_url, connection_failed, or what the server refuses it
 *   with: invalid_parameter, unauthorized, forbidden_origin, not_ready, too_many_sessions, ...
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
    const passing = reason instanceof MillraceError && waitedFor.has(reason.code);
    if (!passing || waitSeconds <= 0) throw reason;
    waiting(reason);
    const time = waitSeconds * 1000;
    return dialler.reopen({ parameters: () => parameters, time, signal, failed: waiting, after: reason });
  };
  const opened = await dialler.open(parameters, signal).catch(wait);
  return new MillraceStream(dialler, opened, { parameters, grace: reconnectSeconds * 1000 });
}
