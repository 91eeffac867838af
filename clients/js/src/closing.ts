import { isErrorCode } from '@millrace/protocol';
import { MillraceError, type MillraceErrorCode } from './errors.js';

/** How a connection ended. */
export interface CloseInfo {
  /** WebSocket close code (RFC 6455 section 7.4); 1006 if the connection broke. */
  readonly code: number;
  readonly reason: string;
  /** The runtime's message about a broken connection; browsers give none. */
  readonly problem?: string;
}

/**
 * Close codes after which another connection would end in the same way (PROTOCOL.md section 14), unless the close
 * reason is an error code.
 */
const finalCloses: Readonly<Record<number, MillraceErrorCode>> = {
  1000: 'connection_closed',
  1002: 'connection_closed',
  1003: 'connection_closed',
  1007: 'connection_closed',
  1008: 'connection_closed',
  1009: 'message_too_large',
  1010: 'connection_closed',
  4400: 'invalid_message',
  4401: 'unauthorized',
  4403: 'invalid_resume_token',
  4409: 'taken_over',
  4410: 'session_ended',
};

/**
 * Returns the error for the end of a connection, from its close frame alone.
 * @param lost the code if a new connection may succeed.
 * @param what text for people, to which the close code or the problem is added.
 */
export function closeError(lost: MillraceErrorCode, what: string, info: CloseInfo): MillraceError {
  // The server sends the error code as the close reason.
  const code = isErrorCode(info.reason) ? info.reason : (finalCloses[info.code] ?? lost);
  return new MillraceError(code, { message: closeText(what, info) });
}

function closeText(what: string, { code, reason, problem }: CloseInfo): string {
  const why = code === 1006 ? problem : [code, reason].filter(Boolean).join(': ');
  return why ? `${what} (${why}).` : `${what}.`;
}
