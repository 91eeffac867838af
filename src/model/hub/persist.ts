import { setTimeout } from 'node:timers/promises';
import { PullError, TransientError } from './pull-error.js';

export interface Persistence {
  /** Most attempts in a row without progress, at least 1. */
  readonly tries: number;
  /** Milliseconds before the second attempt; doubled for each further one. */
  readonly delay: number;
  readonly signal: AbortSignal;
  /** Called before each wait, with the problem and the milliseconds to wait. */
  onRetry(reason: string, wait: number): void;
}

/** The hub counts requests in windows of 5 minutes: it asks for shorter waits than this. */
const longestWaitMs = 6 * 60_000;

/**
 * Repeats an attempt while it fails with a TransientError.
 * @throws {PullError} after `tries` failures or if the wait would be too long; other errors at once.
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
        const suffix = failures > 1 ? ` (tried ${failures} times)` : '';
        throw new PullError(`${error.message}${suffix}; try again later: downloaded data is kept`, {
          cause: error,
        });
      }
      if (wait > longestWaitMs) {
        const minutes = Math.ceil(wait / 60_000);
        throw new PullError(`${error.message}; try again in ${minutes} minutes: downloaded data is kept`, {
          cause: error,
        });
      }
      options.onRetry(error.message, wait);
      await setTimeout(wait, undefined, { signal: options.signal });
    }
  }
}
