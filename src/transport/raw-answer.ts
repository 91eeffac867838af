import { errors, type ErrorCode } from '@millrace/protocol';
import { STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { errorBody, errorHeaders } from './http-error.js';
import { securityHeaders } from './security-headers.js';

export interface RawAnswer {
  readonly code: ErrorCode;
  /** Replaces the status of the code. */
  readonly status?: number;
  /** Replaces the meaning of the code. */
  readonly message?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  /** Seconds after which to retry, if the status has that; replaces the default. */
  readonly retryAfter?: number;
}

/** Returns an error of the catalogue as a complete HTTP answer, the last of its connection. */
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
