import type { DropReason, ResultMessage } from '@millrace/protocol';
import type { CloseInfo } from './closing.js';
import type { MillraceError } from './errors.js';
import type { LocalDropReason } from './statistics.js';
import type { Update } from './updates.js';

/** The argument of each event's listeners. */
export interface StreamEvents {
  /** A result arrived. Unless `frames()` is being read, it counts as consumed when the listeners return. */
  result: ResultMessage;
  /** An input frame, or for `unread` its result, was dropped. */
  dropped: { readonly id: number; readonly reason: DropReason | LocalDropReason };
  updated: Update;
  /** An error that no pending call receives; the stream continues. */
  error: MillraceError;
  /** The connection was lost for this reason; the client tries to connect again. */
  reconnecting: MillraceError;
  /** There is a new connection; unless `resumed`, the stream started over with the same parameters. */
  reconnected: { readonly resumed: boolean };
  /** The server is going to stop; the stream moves to another one automatically. */
  drain: { readonly deadlineSeconds: number };
  /** The server is overloaded and processes at most `fps` frames per second; null lifts the limit. */
  quality: { readonly fps: number | null };
  /** The stream has ended; `error` is the cause, unless this side closed it. */
  close: CloseInfo & { readonly error: MillraceError | undefined };
}
