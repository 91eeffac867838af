import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { TokenBucket } from '../../../src/session/time/token-bucket.js';

describe('TokenBucket', () => {
  it('allows a burst of one second, then the rate', () => {
    let now = 1000;
    const bucket = new TokenBucket(10, 10, () => now);
    const taken = (): number => {
      let count = 0;
      while (bucket.take()) count += 1;
      return count;
    };
    assert.equal(taken(), 10);
    now += 50;
    assert.equal(taken(), 0);
    now += 50;
    assert.equal(taken(), 1);
    now += 3_600_000;
    assert.equal(taken(), 10);
  });

  it('says how long it is until the next event is allowed', () => {
    let now = 1000;
    const bucket = new TokenBucket(0.5, 2, () => now);
    assert.equal(bucket.wait, 0);
    assert.deepEqual([bucket.take(), bucket.wait, bucket.take(), bucket.wait], [true, 0, true, 2]);
    now += 500;
    assert.equal(bucket.wait, 1.5);
    now += 1500;
    assert.deepEqual([bucket.wait, bucket.take()], [0, true]);
  });

  it('is full when nothing has been taken for long enough', () => {
    let now = 1000;
    const bucket = new TokenBucket(10, 2, () => now);
    assert.equal(bucket.full, true);
    assert.equal(bucket.take(), true);
    assert.equal(bucket.full, false);
    now += 99;
    assert.equal(bucket.full, false);
    now += 1;
    assert.equal(bucket.full, true);
    now += 1000;
    assert.deepEqual(
      [bucket.take(), bucket.take(), bucket.take()],
      [true, true, false],
      'no more than the burst',
    );
  });
});
