import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import type { Pause } from '../../../src/session/time/pause-watch.js';
import { StallGuard } from '../../../src/session/frames/stall-guard.js';

/** Milliseconds between frames. Hours, so that nothing that is held back is let go while a test runs. */
const interval = 4_000_000;

interface Rig {
  readonly guard: StallGuard;
  /** This process was held up until now, for so many intervals. */
  readonly pause: (intervals: number) => void;
  /** How often something was let go as the moment had passed. */
  readonly letGo: () => number;
}

function setUp(t: TestContext): Rig {
  const pauses = { last: { end: -Infinity, ms: 0 } satisfies Pause as Pause };
  let count = 0;
  const guard = new StallGuard(pauses, () => void count++);
  t.after(() => guard.end());
  let end = performance.now();
  const pause = (intervals: number): void => {
    // No two pauses end at once.
    end = Math.max(end + 1e-3, performance.now());
    pauses.last = { end, ms: intervals * interval };
  };
  return { guard, pause, letGo: () => count };
}

const before = (): number => performance.now() - interval;
const after = (): number => performance.now() + interval;

describe('a result that can leave', () => {
  it('waits if its frame came before a long pause of this process', (t) => {
    const { guard, pause } = setUp(t);
    assert.equal(guard.holdsBack(before(), interval), false);
    pause(3);
    assert.equal(guard.holdsBack(before(), interval), false, 'three intervals are none too long');
    pause(3.5);
    assert.equal(guard.holdsBack(after(), interval), false);
    assert.equal(guard.holding, false);
    assert.equal(guard.holdsBack(before(), interval), true);
    assert.equal(guard.holding, true);
    assert.equal(guard.holdsBack(before(), interval), true, 'and so do others after the same pause');
  });

  it('waits after the next pause only if one has left in between', (t) => {
    const { guard, pause } = setUp(t);
    pause(4);
    assert.equal(guard.holdsBack(before(), interval), true);
    pause(4);
    assert.equal(guard.holdsBack(before(), interval), false);
    guard.resultLeft();
    assert.equal(guard.holdsBack(before(), interval), true);
    pause(4);
    assert.equal(guard.holdsBack(before(), interval), false);
  });

  it('waits no longer than a moment, which ends the wait for all after the same pause', async () => {
    const pauses = { last: { end: performance.now(), ms: 40 } };
    const ended = new Promise<void>((resolve) => {
      const guard = new StallGuard(pauses, () => {
        assert.equal(guard.holding, false);
        resolve();
      });
      assert.equal(guard.holdsBack(0, 10), true);
    });
    await ended;
  });

  it('leaves once the moment is over', async () => {
    const pauses = { last: { end: performance.now(), ms: 40 } };
    const guard = new StallGuard(pauses, () => {});
    const begin = performance.now();
    while (guard.holdsBack(0, 10)) await new Promise((resolve) => setTimeout(resolve, 1));
    assert.ok(performance.now() - begin >= 20, 'two intervals at least');
    guard.end();
  });
});

describe('what was held back after a stall of this process', () => {
  it('is let go by a result of a frame that came after it', (t) => {
    const { guard, pause, letGo } = setUp(t);
    pause(4);
    guard.holdsBack(before(), interval);
    guard.resultCame(before());
    assert.equal(guard.holding, true);
    guard.resultCame(after());
    assert.equal(guard.holding, false);
    assert.equal(letGo(), 0);
  });
});

describe('a frame that arrives', () => {
  it('makes what was held back old, unless it is late itself', (t) => {
    const { guard } = setUp(t);
    assert.equal(guard.frameArrived(10, interval), false, 'nothing was held back');
    assert.equal(guard.frameArrived(10 + 4 * interval, interval), false);
    assert.equal(guard.holding, true, 'it is late');
    assert.equal(guard.frameArrived(10, interval), true);
    assert.equal(guard.holding, false);
  });

  it('is old if it was captured before a pause of this process', (t) => {
    const { guard, pause } = setUp(t);
    pause(4);
    assert.equal(guard.frameArrived(interval, interval), false);
    assert.equal(guard.holding, true);
    assert.equal(guard.frameArrived(-interval, interval), true);
  });

  it('counts as new where the clock of the client is not known', (t) => {
    const { guard, pause } = setUp(t);
    pause(4);
    guard.holdsBack(before(), interval);
    assert.equal(guard.frameArrived(null, interval), true);
    assert.equal(guard.holding, false);
  });
});

describe('a client that takes results again', () => {
  it('makes the result that waits old if a new frame is there, or else has it wait for one', (t) => {
    const { guard } = setUp(t);
    assert.equal(guard.clientReturned(3 * interval, null, interval), false);
    assert.equal(guard.holding, false, 'three intervals are no stall');
    assert.equal(guard.clientReturned(4 * interval, performance.now(), interval), true);
    assert.equal(guard.holding, false);
    assert.equal(guard.clientReturned(4 * interval, performance.now() - 2 * interval, interval), false);
    assert.equal(guard.holding, true);
  });

  it('has the result wait if no frame waits', (t) => {
    const { guard } = setUp(t);
    assert.equal(guard.clientReturned(4 * interval, null, interval), false);
    assert.equal(guard.holding, true);
    guard.end();
    assert.equal(guard.holding, false);
  });
});
