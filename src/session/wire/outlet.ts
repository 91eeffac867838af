import type { ErrorCode, ServerMessage } from '@millrace/protocol';
import type { SessionMeter } from '../../metrics/session-meter.js';
import type { ClientClock } from './client-clock.js';
import type { ErrorDetails } from './protocol-error.js';

/** Where a stream's messages go while a connection has it. */
export interface Outlet {
  readonly clock: ClientClock;
  readonly meter: SessionMeter;
  send(message: ServerMessage): void;
  /** Tells the client of an error; `cause` is for the log. */
  report(code: ErrorCode, message: string, details: ErrorDetails, cause?: unknown): void;
}
