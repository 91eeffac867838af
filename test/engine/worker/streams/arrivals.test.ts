import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Arrivals } from '../../../../src/engine/worker/streams/arrivals.js';

/** Notes frames with these milliseconds between them, the first at 5000. Returns when the last one came, too. */
function framesApart(...intervals: readonly number[]): {
  readonly arrivals: Arrivals;
  readonly last: number;
} {
  const arrivals = new Arrivals();
  let last = 5000;
  arrivals.note(last);
  for (const interval of intervals) arrivals.note((last += interval));
  return { arrivals, last };
}

function usual(...intervals: readonly number[]): number {
  const { arrivals, last } = framesApart(...intervals);
  return arrivals.interval(last);
}

/** Asserts for how long after its last frame a stream counts as sending. */
function assertQuietAfter(ms: number, ...intervals: readonly number[]): void {
  const { arrivals, last } = framesApart(...intervals);
  assert.notEqual(arrivals.interval(last + ms), Infinity);
  assert.equal(arrivals.interval(last + ms), arrivals.interval(last));
  assert.equal(arrivals.interval(last + ms + 1), Infinity);
}

describe('the interval at which frames arrive', () => {
  it('is not known before the second frame', () => {
    assert.equal(new Arrivals().interval(0), Infinity);
    assert.equal(usual(), Infinity);
    assert.equal(usual(40), 40);
  });

  it('is the median, the greater of two in the middle', () => {
    assert.equal(usual(10, 30), 30);
    assert.equal(usual(30, 10), 30);
    for (const intervals of [
      [9, 100, 20],
      [100, 20, 9],
      [20, 9, 100],
      [100, 9, 20],
    ]) {
      assert.equal(usual(...intervals), 20, intervals.join());
    }
    assert.equal(usual(1, 2, 300, 400, 500), 300);
  });

  it('is that of the last eight intervals', () => {
    const rising = [10, 20, 30, 40, 50, 60, 70, 80, 90];
    assert.equal(usual(...rising), 60);
    assert.equal(usual(...rising.toReversed()), 50);
  });

  it('ends a second or four intervals, of at most a minute each, after the last frame', () => {
    assertQuietAfter(1000, 10);
    assertQuietAfter(1000, 250);
    assertQuietAfter(2000, 500);
    assertQuietAfter(240_000, 60_000);
    assertQuietAfter(240_000, 100_000);
  });
});
