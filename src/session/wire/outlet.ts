import type { ErrorCode, ServerMessage } from '@millrace/protocol';
import type { SessionMeter } from '../../metrics/session-meter.js';
import type { ClientClock } from './client-clock.js';
import type { ErrorDetails } from './protocol-error.js';

/** Where the messages of a session go while it has a connection. */
export interface Outlet {
  readonly clock: ClientClock;
  readonly meter: SessionMeter;
  send(message: ServerMessage): void;
  /** Reports an error to the client; `cause` is for the log. */
  report(code: ErrorCode, message: string, details: ErrorDetails, cause?: unknown): void;
}
