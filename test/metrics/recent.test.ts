import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Recent } from '../../src/metrics/recent.js';

describe('Recent', () => {
  it('returns the rate and the quantiles of only the last twelve seconds', () => {
    const recent = new Recent();
    for (let at = 0; at < 20_000; at += 100) recent.add(at, at < 8000 ? 1000 : (at / 100) % 10);
    assert.equal(recent.rate(20_000, 20_000), 10);
    assert.deepEqual(recent.quantiles(20_000, 0.5, 1), [4, 9]);
    assert.equal(recent.rate(33_000, 33_000), 0);
    assert.equal(recent.quantiles(33_000, 0.5), null);
  });

  it('divides by the seconds since the beginning if they are fewer', () => {
    const recent = new Recent();
    for (let at = 0; at < 2000; at += 100) recent.add(at);
    assert.equal(recent.rate(2000, 2000), 10);
  });

  it('keeps no more than a few thousand values', () => {
    const recent = new Recent();
    for (let i = 0; i < 5000; i++) recent.add(1000);
    assert.equal(recent.rate(1000, 1000), 2400);
  });
});
