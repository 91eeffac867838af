import { setTimeout } from 'node:timers/promises';
import { PullError, TransientError } from './pull-error.js';

export interface Persistence {
  /** Tries in a row without any progress, at least 1. */
  readonly tries: number;
  /** Milliseconds before the second try; doubled for each further one. */
  readonly delay: number;
  readonly signal: AbortSignal;
  /** Is told before each wait: what went wrong, and for how many milliseconds it waits. */
  onRetry(reason: string, wait: number): void;
}

/** The hub counts requests in windows of 5 minutes: what it asks to wait is less. */
const longestWaitMs = 6 * 60_000;

/**
 * Does something again as long as it fails with a TransientError and there is hope.
 * @throws {PullError} if there is none any more; other errors at once.
 */
export async function persist<T>(attempt: () => Promise<T>, options: Persistence): Promise<T> {
  let failures = 0;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      options.signal.throwIfAborted();
      if (!(error instanceof TransientError)) throw error;
      failures = error.progressed ? 1 : failures + 1;
      const wait = error.wait ?? options.delay * 2 ** (failures - 1);
      if (failures >= options.tries) {
        const tried = failures > 1 ? ` (tried ${failures} times)` : '';
        throw new PullError(`${error.message}${tried}; try again later: what has arrived is kept`, {
          cause: error,
        });
      }
      if (wait > longestWaitMs) {
        const minutes = Math.ceil(wait / 60_000);
        throw new PullError(`${error.message}; try again in ${minutes} minutes: what has arrived is kept`, {
          cause: error,
        });
      }
      options.onRetry(error.message, wait);
      await setTimeout(wait, undefined, { signal: options.signal });
    }
  }
}
