import type { ToWorker } from '../messages.js';

/** Messages about one stream that is there, or is to be opened. */
export type StreamMessage = Extract<ToWorker, { readonly stream: number }>;

/** A stream to open, or a change of its parameters. */
export type Change = Extract<StreamMessage, { readonly type: 'open' | 'configure' }>;

/**
 * Streams to open and parameters to change, in the order in which they came. Each may embed prompts, which takes time
 * of the same thread as the frames, so they wait here for their turn. What comes for a stream after its change waits
 * with it.
 */
export class ChangeQueue {
  readonly #waiting = new Map<number, { readonly change: Change; readonly behind: StreamMessage[] }>();

  /** @returns false if the message is no change and need not wait for one. */
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
