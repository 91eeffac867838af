import { errors, type ErrorCode } from '@millrace/protocol';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody, errorHeaders } from './http-error.js';
import { securityHeaders } from './security-headers.js';

export interface RawAnswer {
  readonly code: ErrorCode;
  /** Instead of the status that belongs to the code. */
  readonly status?: number;
  /** Instead of the meaning of the code. */
  readonly message?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds after which to try again, where the status has that; instead of the usual ones. */
  readonly retryAfter?: number;
}

/** An error of the catalogue as a whole HTTP answer, the last of its connection. */
function rawAnswer({ code, message, retryAfter, ...answer }: RawAnswer): string {
  const status = answer.status ?? errors[code].status;
  const body = JSON.stringify(errorBody(code, message));
  const headers = {
    connection: 'close',
    'content-type': 'application/json',
    'content-length': String(Buffer.byteLength(body)),
    ...securityHeaders,
    ...errorHeaders(status, retryAfter),
    ...answer.headers,
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join('\r\n')}\r\n\r\n${body}`;
}

/** Sends an error over a socket that has no HTTP response object, and closes it. */
export function answerRaw(socket: Duplex, answer: RawAnswer): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  // Without this, the peer could keep the connection open for as long as it likes.
  socket.end(rawAnswer(answer), () => socket.destroy());
}
