import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slowdown } from '../../../src/session/admission/slowdown.js';

/** Reports `count` calls of 10 ms that took `times` as long. @returns how often the factor changed. */
function work(slowdown: Slowdown, times: number, count: number): number {
  let changes = 0;
  for (let call = 0; call < count; call++) {
    if (slowdown.observe({ ms: 10 * times, expectedMs: 10 })) changes += 1;
  }
  return changes;
}

const near = (value: number, wanted: number): void =>
  assert.ok(Math.abs(value / wanted - 1) < 0.12, `${value} instead of ${wanted}`);

describe('Slowdown', () => {
  it('is 1 at first, and while work takes about as long as calibrated', () => {
    const slowdown = new Slowdown();
    assert.equal(slowdown.factor, 1);
    assert.equal(work(slowdown, 1.09, 10_000), 0);
    assert.equal(slowdown.factor, 1);
  });

  it('follows how much longer work takes, in steps of a tenth, and back', () => {
    const slowdown = new Slowdown();
    const changes = work(slowdown, 2, 10_000);
    near(slowdown.factor, 2);
    assert.ok(changes >= 4 && changes <= 8, `${changes} changes`);
    assert.ok(work(slowdown, 1, 10_000) > 0);
    near(slowdown.factor, 1);
    work(slowdown, 0.5, 10_000);
    near(slowdown.factor, 0.5);
  });

  it('moves about half of the way in ten seconds of work', () => {
    const slowdown = new Slowdown();
    work(slowdown, 2, 500);
    // The ten seconds assumed at first count as much as the ten since.
    assert.ok(slowdown.factor > 1.3 && slowdown.factor < 1.7, String(slowdown.factor));
  });

  it('counts a stall as at most four times as long, and skipped work as a quarter', () => {
    const slow = new Slowdown();
    work(slow, 1000, 10_000);
    near(slow.factor, 4);
    const fast = new Slowdown();
    work(fast, 0, 30_000);
    near(fast.factor, 0.25);
  });
});
