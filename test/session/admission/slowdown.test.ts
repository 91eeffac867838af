import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Slowdown } from '../../../src/session/admission/slowdown.js';

/** Ten milliseconds of calibrated work, which took so many times as long, over and over. @returns changes told. */
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
  it('is as calibration says at first, and while work takes about that long', () => {
    const slowdown = new Slowdown();
    assert.equal(slowdown.factor, 1);
    assert.equal(work(slowdown, 1.09, 10_000), 0);
    assert.equal(slowdown.factor, 1);
  });

  it('comes to how much longer work takes, in steps of a tenth, and back', () => {
    const slowdown = new Slowdown();
    const changes = work(slowdown, 2, 10_000);
    near(slowdown.factor, 2);
    assert.ok(changes >= 4 && changes <= 8, `${changes} changes`);
    assert.ok(work(slowdown, 1, 10_000) > 0);
    near(slowdown.factor, 1);
    work(slowdown, 0.5, 10_000);
    near(slowdown.factor, 0.5);
  });

  it('moves half of the way or so in ten seconds of work', () => {
    const slowdown = new Slowdown();
    work(slowdown, 2, 500);
    // Ten seconds at first count as much as the ten seconds since.
    assert.ok(slowdown.factor > 1.3 && slowdown.factor < 1.7, String(slowdown.factor));
  });

  it('takes a stall for no more than four times as long, and work that was not done for a quarter', () => {
    const slow = new Slowdown();
    work(slow, 1000, 10_000);
    near(slow.factor, 4);
    const quick = new Slowdown();
    work(quick, 0, 30_000);
    near(quick.factor, 0.25);
  });
});
