import { knownError, MillraceError } from './errors.js';
import { httpUrl } from './url.js';
import type { WebSocketLike } from './web-socket.js';

/** The answer of a server that opened no WebSocket, as the package `ws` hands it on. */
interface HttpAnswer extends AsyncIterable<Uint8Array> {
  readonly statusCode?: number;
  readonly headers: Readonly<Record<string, unknown>>;
}

/** What the package `ws` has beyond the standard WebSocket. */
interface TellingWebSocket {
  on(event: 'unexpected-response', listener: (request: unknown, answer: HttpAnswer) => void): void;
}

/** Longest answer that is read; those of a server are shorter. */
const longestAnswer = 64 * 1024;
/** Milliseconds for which the server is asked. */
const askingTime = 5000;

/**
 * Has `refused` called with the reason that a server gives for not opening a WebSocket, before the socket closes.
 * @returns false where the runtime does not say: then `askWhy` may find out.
 */
export function onRefusal(socket: WebSocketLike, refused: (error: MillraceError) => void): boolean {
  if (!tells(socket)) return false;
  socket.on('unexpected-response', (_request, answer) => {
    void (async () => {
      refused(await readAnswer(answer));
      socket.close();
    })();
  });
  return true;
}

/**
 * Asks the server over plain HTTP why it opened no WebSocket: browsers only say that it failed.
 * @returns undefined if it cannot be reached.
 */
export async function askWhy(url: URL): Promise<MillraceError | undefined> {
  try {
    const signal = AbortSignal.timeout(askingTime);
    const response = await fetch(httpUrl(url), { signal, credentials: 'omit', cache: 'no-store' });
    const error = reasonOf(response.status, await response.text(), response.headers.get('retry-after'));
    // It would have taken a WebSocket.
    if (error.code !== 'unsupported_protocol') return error;
    const message =
      'The server answers, but no WebSocket could be opened: check that the proxy in front of it passes on upgrades.';
    return new MillraceError('connection_failed', { message });
  } catch {
    return undefined;
  }
}

function tells(socket: WebSocketLike): socket is WebSocketLike & TellingWebSocket {
  return 'on' in socket && typeof socket.on === 'function';
}

async function readAnswer(answer: HttpAnswer): Promise<MillraceError> {
  const decoder = new TextDecoder();
  let body = '';
  try {
    for await (const bytes of answer) {
      body += decoder.decode(bytes, { stream: true });
      if (body.length > longestAnswer) break;
    }
  } catch {
    // What came says enough.
  }
  return reasonOf(answer.statusCode ?? 0, body, answer.headers['retry-after']);
}

/** Reads the body of a refusal: `{"error": {"code": ..., "message": ...}}`. */
function reasonOf(status: number, body: string, retryAfterHeader: unknown): MillraceError {
  const seconds = Number.parseFloat(String(retryAfterHeader));
  const retryAfter = seconds >= 0 ? seconds : undefined;
  try {
    const { error } = JSON.parse(body) as { error: { code: unknown; message: unknown } };
    if (typeof error.code !== 'string') throw new TypeError('no code');
    const { code, message } = knownError(error.code, String(error.message));
    return new MillraceError(code, { message, retryAfter });
  } catch {
    const message = `The server could not be reached: what answered, with status ${status}, is not a Millrace server; check the address.`;
    return new MillraceError('connection_failed', { message, retryAfter });
  }
}
