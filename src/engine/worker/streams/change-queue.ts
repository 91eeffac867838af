import type { Ask, MessageToStream } from '../../messages.js';

/** A stream to open, or a change of its parameters. */
export type Change = Ask<'open' | 'configure'>;

/**
 * Streams to open and parameters to change, in order of arrival. Each may embed prompts, which takes time from the
 * frames, so they wait here for their turn. Later messages for the same stream wait behind its change.
 */
export class ChangeQueue {
  readonly #waiting = new Map<number, { readonly change: Change; readonly behind: MessageToStream[] }>();

  /** @returns false if the message is not a change and no change of its stream waits: it can be handled now. */
  put(message: MessageToStream): boolean {
    const waiting = this.#waiting.get(message.stream);
    if (waiting) waiting.behind.push(message);
    else if (isChange(message)) this.#waiting.set(message.stream, { change: message, behind: [] });
    else return false;
    return true;
  }

  /** Discards the change of a closed stream, and the messages behind it. */
  cancel(stream: number): void {
    this.#waiting.delete(stream);
  }

  /** Takes the next change, with later messages for the same stream; null if none waits. */
  take(): { readonly change: Change; readonly behind: readonly MessageToStream[] } | null {
    const [next] = this.#waiting.values();
    if (next === undefined) return null;
    this.#waiting.delete(next.change.stream);
    return next;
  }
}

function isChange(message: MessageToStream): message is Change {
  return message.type === 'ask' && (message.question === 'open' || message.question === 'configure');
}
