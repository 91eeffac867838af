import assert from 'node:assert/strict';
import process from 'node:process';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { FrameClock } from '../../src/session/frames/frame-clock.js';
import { Pace } from '../../src/session/time/pace.js';

/** One frame in thirty years: more milliseconds than a timer can be set to. */
const fps = 1e-9;

/** What Node warns of while something is done and in the turn after it. */
async function warningsOf(action: () => void): Promise<readonly string[]> {
  const names: string[] = [];
  const note = (warning: Error): void => void names.push(warning.name);
  process.on('warning', note);
  action();
  await turn();
  process.off('warning', note);
  return names;
}

describe('a rate that is next to nothing', () => {
  it('lets a clock of frames wait', async () => {
    let made = 0;
    const clock = new FrameClock({ open: () => true, tick: () => (made += 1) });
    const warnings = await warningsOf(() => {
      clock.start(fps);
      clock.entered();
    });
    clock.stop();
    assert.deepEqual([made, warnings], [1, []]);
  });

  it('lets a pace wait', async () => {
    const pace = new Pace(() => {});
    const warnings = await warningsOf(() => {
      pace.limit(fps);
      pace.take();
      assert.equal(pace.open, false);
    });
    pace.stop();
    assert.deepEqual(warnings, []);
  });
});
