import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameClock } from '../../src/session/frames/frame-clock.js';
import { Pace } from '../../src/session/time/pace.js';

/** One frame in thirty years: more milliseconds than a timer can be set to. */
const fps = 1e-9;

/** Returns the names of Node's warnings during an action and in the turn after it. */
async function warningsOf(action: () => void): Promise<readonly string[]> {
  const names: string[] = [];
  const note = (warning: Error): void => void names.push(warning.name);
  process.on('warning', note);
  action();
  await turn();
  process.off('warning', note);
  return names;
}

describe('a rate close to zero', () => {
  it('makes a frame clock wait, without a warning', async () => {
    let made = 0;
    const clock = new FrameClock({ open: () => true, tick: () => (made += 1) });
    const warnings = await warningsOf(() => {
      clock.start(fps);
      clock.admitted();
    });
    clock.stop();
    assert.deepEqual([made, warnings], [1, []]);
  });

  it('makes a pace wait, without a warning', async () => {
    const pace = new Pace(() => {});
    const warnings = await warningsOf(() => {
      pace.limit(fps);
      pace.take();
      assert.equal(pace.check(), false);
    });
    pace.stop();
    assert.deepEqual(warnings, []);
  });
});
