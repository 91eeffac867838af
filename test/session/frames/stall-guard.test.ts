import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Lateness, StallGuard } from '../../../src/session/frames/stall-guard.js';
import type { Pause } from '../../../src/session/time/pause-watch.js';
import { stopTime } from '../../support/stopped-time.js';

/** Milliseconds between frames. */
const interval = 100;

interface Rig {
  readonly guard: StallGuard;
  readonly pass: (ms: number) => void;
  /** Simulates a pause of this process. */
  readonly pause: (ms: number) => void;
  /** Returns how often results were released because the time was up. */
  readonly released: () => number;
}

function setUp(t: TestContext): Rig {
  const pass = stopTime(t);
  const pauses: { last: Pause } = { last: { end: -Infinity, ms: 0 } };
  let count = 0;
  const guard = new StallGuard(pauses, () => void count++);
  const pause = (ms: number): void => {
    pass(ms);
    pauses.last = { end: performance.now(), ms };
  };
  return { guard, pass, pause, released: () => count };
}

describe('a result that is ready to leave', () => {
  it('waits if its frame came before a pause of this process that was long compared with the interval', (t) => {
    const { guard, pass, pause } = setUp(t);
    const arrived = performance.now();
    assert.equal(guard.holdBack(arrived, interval), false);
    pause(3 * interval);
    assert.equal(guard.holdBack(arrived, interval), false);
    pause(3 * interval + 1);
    const back = performance.now();
    pass(1);
    assert.equal(guard.holdBack(performance.now(), interval), false);
    assert.equal(guard.holding, false);
    assert.equal(guard.holdBack(back, interval), true, 'came just as the process resumed');
    assert.equal(guard.holding, true);
    assert.equal(guard.holdBack(arrived, interval), true, 'and so do others after the same pause');
  });

  it('waits for two intervals, or for half of a longer pause, but not for more than a second', (t) => {
    for (const [paused, moment] of [
      [350, 200],
      [1000, 500],
      [10_000, 1000],
    ]) {
      const { guard, pass, pause, released } = setUp(t);
      pause(paused);
      assert.equal(guard.holdBack(0, interval), true);
      pass(moment - 1);
      assert.equal(guard.holdBack(0, interval), true);
      assert.deepEqual([guard.holding, released()], [true, 0]);
      pass(1);
      assert.deepEqual([guard.holding, released()], [false, 1]);
      assert.equal(guard.holdBack(0, interval), false, 'the time is up');
      assert.equal(guard.holding, false);
      t.mock.reset();
    }
  });

  it('waits no longer than the first one if it comes while that waits', (t) => {
    const { guard, pass, pause, released } = setUp(t);
    pause(1000);
    assert.equal(guard.holdBack(0, interval), true);
    pass(100);
    guard.end();
    assert.equal(guard.holdBack(0, interval), true);
    pass(399);
    assert.equal(released(), 0);
    pass(1);
    assert.equal(released(), 1);
  });

  it('waits after the next pause only if a result has left in between', (t) => {
    const { guard, pause } = setUp(t);
    pause(400);
    assert.equal(guard.holdBack(0, interval), true);
    pause(400);
    assert.equal(guard.holdBack(0, interval), false);
    guard.resultSent();
    assert.equal(guard.holdBack(0, interval), true);
    pause(400);
    assert.equal(guard.holdBack(0, interval), false);
  });
});

describe('a result that was held back', () => {
  it('is released by a result of a frame that came after the pause', (t) => {
    const { guard, pass, pause, released } = setUp(t);
    pause(400);
    guard.holdBack(0, interval);
    guard.resultFinished(performance.now());
    assert.equal(guard.holding, true);
    pass(1);
    guard.resultFinished(performance.now());
    assert.equal(guard.holding, false);
    pass(1000);
    assert.equal(released(), 0);
  });
});

describe('a frame that arrives', () => {
  it('makes results that were held back old, unless it is late itself', (t) => {
    const { guard, pass, released } = setUp(t);
    assert.equal(guard.frameArrived(10, interval), false, 'nothing was held back');
    assert.equal(guard.frameArrived(10 + 3 * interval, interval), false);
    assert.equal(guard.holding, false, 'three intervals are not late');
    assert.equal(guard.frameArrived(20 + 4 * interval, interval), false);
    assert.equal(guard.holding, true);
    pass(2 * interval - 1);
    assert.equal(released(), 0);
    pass(1);
    assert.equal(released(), 1, 'no pause, so two intervals are enough');
    assert.equal(guard.frameArrived(20 + 4 * interval, interval), false);
    assert.equal(guard.frameArrived(10, interval), true);
    assert.equal(guard.holding, false);
  });

  it('is old if it was captured before a pause of this process', (t) => {
    const { guard, pass, pause, released } = setUp(t);
    pause(1000);
    assert.equal(guard.frameArrived(300, interval), false);
    assert.equal(guard.holding, true);
    pass(499);
    assert.equal(released(), 0);
    pass(1);
    assert.equal(released(), 1);
    assert.equal(guard.frameArrived(501, interval), false);
    assert.equal(guard.holding, true);
    assert.equal(guard.frameArrived(499, interval), true, 'captured after it');
  });

  it('counts as new if the clock of the client is unknown', (t) => {
    const { guard, pause } = setUp(t);
    pause(400);
    guard.holdBack(0, interval);
    assert.equal(guard.frameArrived(null, interval), true);
    assert.equal(guard.holding, false);
  });
});

describe('a client that takes results again', () => {
  it('makes the waiting result old if a new frame is there', (t) => {
    const { guard } = setUp(t);
    const stalled = 3 * interval + 1;
    assert.equal(guard.clientReturned(stalled - 1, performance.now(), interval), false);
    assert.equal(guard.holding, false, 'three intervals are not a stall');
    assert.equal(guard.clientReturned(stalled, performance.now() - interval + 1, interval), true);
    assert.equal(guard.holding, false);
  });

  it('makes the result wait one interval for a new frame', (t) => {
    for (const waiting of [null, -interval]) {
      const { guard, pass, released } = setUp(t);
      const since = waiting === null ? null : performance.now() + waiting;
      assert.equal(guard.clientReturned(4 * interval, since, interval), false);
      assert.equal(guard.holding, true);
      pass(interval - 1);
      assert.equal(released(), 0);
      pass(1);
      assert.deepEqual([guard.holding, released()], [false, 1]);
      t.mock.reset();
    }
  });
});

describe('a hold', () => {
  it('ends when its time is up, counted from when it began first, and may begin again', (t) => {
    const { guard, pass, released } = setUp(t);
    for (const expected of [1, 2]) {
      guard.clientReturned(4 * interval, null, interval);
      assert.equal(guard.holding, true);
      pass(interval / 2);
      guard.clientReturned(4 * interval, null, interval);
      pass(interval / 2);
      assert.deepEqual([guard.holding, released()], [false, expected]);
    }
  });

  it('does not call back when it is ended early', (t) => {
    const { guard, pass, released } = setUp(t);
    guard.clientReturned(4 * interval, null, interval);
    guard.end();
    guard.end();
    assert.equal(guard.holding, false);
    pass(2 * interval);
    assert.equal(released(), 0);
  });
});

describe('Lateness', () => {
  it('applies to frames that took much longer than the others', () => {
    const lateness = new Lateness();
    const lags = [20, 25, 22, 60, 140, 2000, 1950, 21, 500];
    const late = lags.map((lag) => lateness.isLate(lag, 40));
    assert.deepEqual(late, [false, false, false, false, false, true, true, false, true]);
  });

  it('becomes the norm if it lasts', () => {
    const lateness = new Lateness();
    lateness.isLate(20, 40);
    const late = Array.from({ length: 20 }, () => lateness.isLate(1000, 40));
    assert.deepEqual(late.indexOf(false), 4);
    assert.ok(late.slice(4).every((each) => !each));
  });

  it('begins beyond three frame intervals, and ends with one frame that is not late', () => {
    const lateness = new Lateness();
    const isLate = (lag: number): boolean => lateness.isLate(lag, 10);
    assert.deepEqual([20, 50, 52].map(isLate), [false, false, true], 'the usual lag has moved a little');
    assert.deepEqual([100, 100, 100, 20, 100, 100, 100, 100].map(isLate), [
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      true,
    ]);
    assert.equal(isLate(100), false, 'the fifth in a row sets the usual lag');
    assert.equal(isLate(130), false);
    assert.equal(isLate(140), true);
  });

  it('follows the usual lag slowly upwards, and immediately downwards', () => {
    const lateness = new Lateness();
    const isLate = (lag: number): boolean => lateness.isLate(lag, 10);
    isLate(20);
    for (let frame = 0; frame < 300; frame++) assert.equal(isLate(50), false);
    assert.equal(isLate(78), false, 'nearly at 50 now');
    isLate(10);
    assert.equal(isLate(41), true);
  });
});
