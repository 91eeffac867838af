import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { FrameClock } from '../../../src/session/frames/frame-clock.js';
import { stopTime } from '../../support/stopped-time.js';

interface Rig {
  readonly clock: FrameClock;
  readonly pass: (ms: number) => void;
  /** When frames were made, in milliseconds from the start. */
  readonly ticks: number[];
  readonly gate: { open: boolean };
}

function setUp(t: TestContext): Rig {
  const pass = stopTime(t);
  const ticks: number[] = [];
  const gate = { open: true };
  const begin = performance.now();
  const clock = new FrameClock({
    open: () => gate.open,
    tick: () => void ticks.push(performance.now() - begin),
  });
  return { clock, pass, ticks, gate };
}

describe('a frame clock', () => {
  it('makes frames at its rate, each once work on the previous one has begun', (t) => {
    const { clock, pass, ticks } = setUp(t);
    clock.start(100);
    clock.admitted();
    pass(10);
    clock.admitted();
    pass(5);
    clock.poke();
    pass(5);
    assert.deepEqual(ticks, [0, 10, 20]);
    pass(50);
    assert.deepEqual(ticks, [0, 10, 20], 'one waits');
    clock.admitted();
    assert.deepEqual(ticks, [0, 10, 20, 70], 'immediately, as it is late');
    clock.admitted();
    assert.deepEqual(ticks, [0, 10, 20, 70, 70]);
    clock.admitted();
    pass(9);
    assert.deepEqual(ticks, [0, 10, 20, 70, 70], 'only one missed frame is made up for');
    pass(1);
    assert.deepEqual(ticks, [0, 10, 20, 70, 70, 80]);
  });

  it('makes frames as fast as they are taken if there is no rate', (t) => {
    const { clock, ticks } = setUp(t);
    clock.start(0);
    clock.admitted();
    clock.admitted();
    assert.deepEqual(ticks, [0, 0, 0]);
  });

  it('makes none while the gate is closed', (t) => {
    const { clock, pass, ticks, gate } = setUp(t);
    gate.open = false;
    clock.start(100);
    pass(50);
    assert.deepEqual(ticks, []);
    gate.open = true;
    clock.poke();
    assert.deepEqual(ticks, [50]);
  });

  it('makes none before it is started, and none after it is stopped', (t) => {
    const { clock, pass, ticks } = setUp(t);
    clock.poke();
    assert.deepEqual(ticks, []);
    clock.start(100);
    clock.admitted();
    clock.stop();
    clock.stop();
    pass(50);
    clock.admitted();
    assert.deepEqual(ticks, [0]);
  });

  it('applies a new rate immediately, and ignores the same one', (t) => {
    const { clock, pass, ticks } = setUp(t);
    clock.start(100);
    clock.admitted();
    clock.start(100);
    assert.deepEqual(ticks, [0]);
    clock.start(50);
    assert.deepEqual(ticks, [0, 0]);
    clock.admitted();
    pass(40);
    assert.deepEqual(ticks, [0, 0, 20]);
  });

  it('tries again a moment after a frame was lost', (t) => {
    const { clock, pass, ticks } = setUp(t);
    clock.start(100);
    clock.lost();
    pass(99);
    assert.deepEqual(ticks, [0]);
    pass(1);
    assert.deepEqual(ticks, [0, 100]);
  });
});
