import type { TestContext } from 'node:test';

/**
 * Stops `performance.now()` and timers for the rest of a test.
 * @returns a function that advances them by whole milliseconds, one by one.
 */
export function stopTime(t: TestContext): (ms: number) => void {
  let now = 1_000_000;
  t.mock.timers.enable({ apis: ['setTimeout', 'setInterval'] });
  t.mock.method(performance, 'now', () => now);
  return (ms) => {
    for (let passed = 0; passed < ms; passed++) {
      now += 1;
      t.mock.timers.tick(1);
    }
  };
}
