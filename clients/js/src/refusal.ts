import { knownError, MillraceError } from './errors.js';
import { httpUrl } from './url.js';
import type { WebSocketLike } from './web-socket.js';

/** The response of a server that refused a WebSocket, as passed on by the package `ws`. */
interface HttpAnswer extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** A method of the package `ws` beyond the standard WebSocket. */
interface WsWebSocket {
  on(event: 'unexpected-response', listener: (request: unknown, answer: HttpAnswer) => void): void;
}

/** Maximum length of a response that is read; those of a server are shorter. */
const maxAnswerLength = 64 * 1024;
const askTimeoutMs = 5000;

/**
 * Calls `refused` with the server's reason for refusing a WebSocket, before the socket closes.
 * @returns false if the runtime does not report it; `askWhy` may then find out.
 */
export function onRefusal(socket: WebSocketLike, refused: (error: MillraceError) => void): boolean {
  if (!isWsWebSocket(socket)) return false;
  socket.on('unexpected-response', (_request, answer) => {
    void (async () => {
      refused(await readAnswer(answer));
      socket.close();
    })();
  });
  return true;
}

/** A WebSocket was refused, and now the server would accept one: a slot was freed, or a proxy forwards no upgrades. */
export class PassedRefusal extends MillraceError {
  constructor() {
    super('connection_failed', {
      message:
        'The server responds, but no WebSocket could be opened: check that the proxy in front of it forwards upgrades.',
    });
  }
}

/**
 * Asks the server over plain HTTP why it refused a WebSocket: browsers only report that it failed.
 * @returns undefined if the server cannot be reached.
 */
export async function askWhy(url: URL): Promise<MillraceError | undefined> {
  try {
    const signal = AbortSignal.timeout(askTimeoutMs);
    const response = await fetch(httpUrl(url), { signal, credentials: 'omit', cache: 'no-store' });
    const error = reasonOf(response.status, await response.text(), response.headers.get('retry-after'));
    return error.code === 'unsupported_protocol' ? new PassedRefusal() : error;
  } catch {
    return undefined;
  }
}

function isWsWebSocket(socket: WebSocketLike): socket is WebSocketLike & WsWebSocket {
  return 'on' in socket && typeof socket.on === 'function';
}

async function readAnswer(answer: HttpAnswer): Promise<MillraceError> {
  const decoder = new TextDecoder();
  let body = '';
  try {
    for await (const bytes of answer) {
      body += decoder.decode(bytes, { stream: true });
      if (body.length > maxAnswerLength) break;
    }
  } catch {
    // The part received so far is enough.
  }
  return reasonOf(answer.statusCode ?? 0, body, answer.headers['retry-after']);
}

/** Reads the body of a refusal: `{"error": {"code": ..., "message": ...}}`. */
export function reasonOf(status: number, body: string, retryAfterHeader: unknown): MillraceError {
  const seconds = Number.parseFloat(String(retryAfterHeader));
  const retryAfter = seconds >= 0 ? seconds : undefined;
  try {
    const { error } = JSON.parse(body) as { error: { code: unknown; message: unknown } };
    if (typeof error.code !== 'string') throw new TypeError('no code');
    const { code, message } = knownError(error.code, String(error.message));
    return new MillraceError(code, { message, retryAfter });
  } catch {
    const message = `The server could not be reached: the response, with status ${status}, is not from a Millrace server; check the address.`;
    return new MillraceError('connection_failed', { message, retryAfter });
  }
}
