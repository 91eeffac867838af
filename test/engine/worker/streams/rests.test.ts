import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Arrivals } from '../../../../src/engine/worker/streams/arrivals.js';
import { Rests } from '../../../../src/engine/worker/streams/rests.js';

describe('Rests', () => {
  it('let others keep 85% of their frames beside long calls', () => {
    for (const [ms, interval] of [
      [700, 200],
      [1000, 40],
      [300, 100],
    ] as const) {
      const rests = new Rests();
      rests.begin({ ms, interval, now: 1000 });
      const rest = rests.left(1000);
      const lost = (ms - interval) / interval;
      const all = (ms + rest) / interval;
      assert.ok(Math.abs(lost / all - 0.15) < 1e-9, `${lost} of ${all}`);
      assert.ok(rests.left(1000 + rest - 1) > 0);
      assert.equal(rests.left(1000 + rest), 0);
      assert.equal(rests.left(1001 + rest), 0);
    }
  });

  it('are not shortened by a call that needs less rest', () => {
    const rests = new Rests();
    rests.begin({ ms: 1000, interval: 40, now: 0 });
    const rest = rests.left(0);
    rests.begin({ ms: 300, interval: 100, now: 10 });
    assert.equal(rests.left(0), rest);
    rests.begin({ ms: 1000, interval: 40, now: 20 });
    assert.equal(rests.left(20), rest);
  });

  it('are not needed if no stream loses a frame', () => {
    const rests = new Rests();
    rests.begin({ ms: 700, interval: Infinity, now: 0 });
    rests.begin({ ms: 700, interval: 1000, now: 0 });
    assert.equal(rests.left(0), 0);
  });
});

describe('Arrivals', () => {
  it('report the usual interval, however long a few were', () => {
    const arrivals = new Arrivals();
    assert.equal(arrivals.interval(0), Infinity);
    let now = 0;
    arrivals.note(now);
    assert.equal(arrivals.interval(now), Infinity, 'one frame has no interval');
    for (const interval of [100, 100, 800, 100, 100, 700, 100, 100, 100]) arrivals.note((now += interval));
    assert.equal(arrivals.interval(now), 100);
  });

  it('report no interval for a quiet stream', () => {
    const arrivals = new Arrivals();
    for (const now of [0, 100, 200]) arrivals.note(now);
    assert.equal(arrivals.interval(1200), 100);
    assert.equal(arrivals.interval(1201), Infinity);
    const slow = new Arrivals();
    for (const now of [0, 1000, 2000]) slow.note(now);
    assert.equal(slow.interval(6000), 1000);
    assert.equal(slow.interval(6001), Infinity);
  });
});
