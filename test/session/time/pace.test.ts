import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Pace } from '../../../src/session/time/pace.js';
import { stopTime } from '../../support/stopped-time.js';

/** Offers an event each millisecond. @returns when events were allowed. */
function events(pace: Pace, pass: (ms: number) => void, count: number): readonly number[] {
  const times: number[] = [];
  for (let ms = 0; ms < count; ms++) {
    if (pace.check()) {
      pace.take();
      times.push(ms);
    }
    pass(1);
  }
  return times;
}

describe('Pace', () => {
  it('holds nothing back until it has a limit', (t) => {
    const pass = stopTime(t);
    assert.deepEqual(events(new Pace(() => {}), pass, 3), [0, 1, 2]);
  });

  it('allows an event one interval after the previous one', (t) => {
    const pass = stopTime(t);
    const pace = new Pace(() => {});
    pace.limit(100);
    // The first counts as a little late.
    assert.deepEqual(events(pace, pass, 39), [0, 8, 18, 28, 38]);
    pace.limit(null);
    assert.deepEqual(events(pace, pass, 3), [0, 1, 2]);
  });

  it('makes up for a small delay, and no more', (t) => {
    const pass = stopTime(t);
    const pace = new Pace(() => {});
    pace.limit(100);
    pace.take();
    pass(12);
    assert.deepEqual(events(pace, pass, 9), [0, 8], 'two milliseconds late, and made up for');
    pass(1000);
    assert.deepEqual(events(pace, pass, 19), [0, 8, 18], 'a quarter of an interval at most');
  });

  it('pokes when an event that had to wait may happen', (t) => {
    const pass = stopTime(t);
    const pokes: number[] = [];
    const begin = performance.now();
    const pace = new Pace(() => pokes.push(performance.now() - begin));
    pace.limit(100);
    pass(1);
    assert.deepEqual(pokes, [1], 'the rate has changed');
    pace.take();
    assert.equal(pace.check(), false);
    assert.equal(pace.check(), false);
    pass(20);
    assert.equal(pokes.length, 2, 'once');
    pace.take();
    assert.equal(pace.check(), false);
    pace.stop();
    pass(20);
    assert.equal(pokes.length, 2);
  });

  it('shortens a wait when the rate rises', (t) => {
    const pass = stopTime(t);
    const pace = new Pace(() => {});
    pace.limit(1);
    pace.take();
    assert.equal(pace.check(), false);
    pace.limit(100);
    assert.deepEqual(events(pace, pass, 21), [10, 20]);
  });
});
