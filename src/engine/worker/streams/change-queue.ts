import type { ToWorker } from '../../messages.js';

/** Messages about one stream, open or to be opened. */
export type StreamMessage = Extract<ToWorker, { readonly stream: number }>;

/** A stream to open, or a change of its parameters. */
export type Change = Extract<StreamMessage, { readonly type: 'open' | 'configure' }>;

/**
 * Streams to open and parameters to change, in the order in which they came. Each may embed prompts, for which the
 * thread of the frames needs time, so they wait here for their turn. Messages for a stream that come after its change
 * wait with it.
 */
export class ChangeQueue {
  readonly #waiting = new Map<number, { readonly change: Change; readonly behind: StreamMessage[] }>();

  /** @returns false if the message is neither a change nor behind one, so that it can be handled now. */
  put(message: StreamMessage): boolean {
    const waiting = this.#waiting.get(message.stream);
    if (waiting) waiting.behind.push(message);
    else if (message.type === 'open' || message.type === 'configure') {
      this.#waiting.set(message.stream, { change: message, behind: [] });
    } else return false;
    return true;
  }

  /** Gives up the change of a stream that is closed, and what waits behind it. */
  cancel(stream: number): void {
    this.#waiting.delete(stream);
  }

  /** Takes the next change, with what came after it for the same stream; null if none waits. */
  take(): { readonly change: Change; readonly behind: readonly StreamMessage[] } | null {
    const [next] = this.#waiting.values();
    if (next === undefined) return null;
    this.#waiting.delete(next.change.stream);
    return next;
  }
}
