import { AssertionError } from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';

/** As long as Playwright waits for an element. */
const longestMs = 30_000;
const pauseMs = 50;

/**
 * Repeats assertions until they hold: a page shows the effect of an action a moment later, on a busy machine much later.
 * @throws {AssertionError} the last one, with the value that it found, if they do not hold within half a minute.
 */
export async function eventually(check: () => Promise<void> | void): Promise<void> {
  const deadline = performance.now() + longestMs;
  for (;;) {
    try {
      return await check();
    } catch (error) {
      if (!(error instanceof AssertionError) || performance.now() > deadline) throw error;
    }
    await pause(pauseMs);
  }
}
