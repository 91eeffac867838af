import type { DropReason, ResultMessage } from '@millrace/protocol';
import type { CloseInfo } from './closing.js';
import type { MillraceError } from './errors.js';
import type { LocalDropReason } from './statistics.js';
import type { Update } from './updates.js';

/** What the listeners of each event get. */
export interface StreamEvents {
  /** A result arrived. Unless `frames()` is being read, it counts as consumed when the listeners return. */
  result: ResultMessage;
  /** An input frame, or for `unread` its result, was given up. */
  dropped: { readonly id: number; readonly reason: DropReason | LocalDropReason };
  updated: Update;
  /** Something went wrong that no call waits for; the stream goes on. */
  error: MillraceError;
  /** The connection was lost, for this reason; the client tries to connect again. */
  reconnecting: MillraceError;
  /** There is another connection; unless `resumed`, the stream began afresh with the same parameters. */
  reconnected: { readonly resumed: boolean };
  /** The server is going to stop; the stream moves to another by itself. */
  drain: { readonly deadlineSeconds: number };
  /** The server is overloaded and works on at most `fps` frames a second; null when this is over. */
  quality: { readonly fps: number | null };
  /** The stream has ended; `error` says why, unless this side closed it. */
  close: CloseInfo & { readonly error: MillraceError | undefined };
}
