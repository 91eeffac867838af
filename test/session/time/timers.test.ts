import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Deadline, longestTimer } from '../../../src/session/time/deadline.js';
import { IdleWatch } from '../../../src/session/time/idle-watch.js';
import { stopTime } from '../../support/stopped-time.js';

/** A signal that does not abort. */
const never = new AbortController().signal;

describe('Deadline', () => {
  it('passes once, at the time to which it was set last', (t) => {
    const pass = stopTime(t);
    let passed = 0;
    const deadline = new Deadline(() => void passed++, never);
    deadline.set(5);
    deadline.set(10);
    pass(9);
    assert.equal(passed, 0);
    pass(1);
    assert.equal(passed, 1);
    pass(100);
    assert.equal(passed, 1);
  });

  it('does not pass after clear, if it exceeds the longest timer, or once its signal has aborted', (t) => {
    const pass = stopTime(t);
    const gone = new AbortController();
    const deadline = new Deadline(() => assert.fail('it passed'), gone.signal);
    deadline.set(5);
    deadline.clear();
    deadline.clear();
    deadline.set(5);
    deadline.set(longestTimer + 1);
    pass(100);
    deadline.set(5);
    gone.abort();
    pass(100);
    deadline.set(5);
    pass(100);
  });

  it('can be set to the longest timer', (t) => {
    stopTime(t);
    let passed = 0;
    new Deadline(() => void passed++, never).set(longestTimer);
    t.mock.timers.tick(longestTimer);
    assert.equal(passed, 1);
  });
});

describe('IdleWatch', () => {
  it('waits from the last activity', (t) => {
    const pass = stopTime(t);
    let last = performance.now();
    let idle = 0;
    const watch = new IdleWatch(
      100,
      () => last,
      () => void idle++,
      never,
    );
    watch.start();
    pass(60);
    last = performance.now();
    pass(99);
    assert.equal(idle, 0);
    pass(1);
    assert.equal(idle, 1);
    pass(1000);
    assert.equal(idle, 1);
  });

  it('never fires once its signal has aborted, or without a limit', (t) => {
    const pass = stopTime(t);
    const fail = (): void => assert.fail('idle');
    const gone = new AbortController();
    const stopped = new IdleWatch(1, () => 0, fail, gone.signal);
    stopped.start();
    gone.abort();
    stopped.start();
    new IdleWatch(0, () => 0, fail, never).start();
    pass(100);
  });
});
