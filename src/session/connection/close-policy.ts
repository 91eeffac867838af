import type { ErrorCode } from '@millrace/protocol';

/** What happens to a session when its connection ends: it waits here, may be resumed elsewhere, or ends. */
export type Afterwards = 'park' | 'remove' | 'end';

/** Errors that do not end the session with the connection. */
const afterErrors: Partial<Record<ErrorCode, Afterwards>> = {
  idle_timeout: 'park',
  slow_reader: 'park',
  internal: 'park',
  unauthorized: 'park',
  shutting_down: 'remove',
};

/** Close codes with which a client ends its session (RFC 6455 section 7.4.1); after any other it may come back. */
const properCloses: ReadonlySet<number> = new Set([1000, 1001, 1005]);

/** Returns what happens when the server closes the connection with this error. */
export function afterError(code: ErrorCode): Afterwards {
  return afterErrors[code] ?? 'end';
}

/** Returns what happens when the connection was closed with this code. */
export function afterClose(code: number): Afterwards {
  return properCloses.has(code) ? 'end' : 'park';
}
