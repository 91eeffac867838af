import assert from 'node:assert/strict';
import { describe, it, type TestContext } from 'node:test';
import { Deaths } from '../../../src/engine/host/deaths.js';

/** Lets workers die that are ready for some time after some time of starting. @returns whether those were too many. */
function die(
  t: TestContext,
  times: readonly { readonly startingMs: number; readonly readyMs?: number }[],
): boolean {
  let now = 1e6;
  t.mock.method(performance, 'now', () => now);
  const deaths = new Deaths();
  for (const { startingMs, readyMs } of times) {
    now += startingMs;
    if (readyMs !== undefined) {
      deaths.workerReady();
      now += readyMs;
    }
    deaths.workerDied();
  }
  return deaths.tooMany;
}

const six = (death: { readonly startingMs: number; readonly readyMs?: number }): (typeof death)[] =>
  Array.from({ length: 6 }, () => death);

describe('deaths of workers', () => {
  it('are too many if the sixth comes within a minute of being ready, however long they start', (t) => {
    assert.equal(die(t, six({ startingMs: 0, readyMs: 11_999 })), true);
    assert.equal(die(t, six({ startingMs: 600_000, readyMs: 11_999 })), true);
    assert.equal(die(t, six({ startingMs: 600_000, readyMs: 12_000 })), false);
    assert.equal(die(t, six({ startingMs: 0, readyMs: 0 }).slice(1)), false);
  });

  it('are too many if six in a row die before they are ready', (t) => {
    assert.equal(die(t, [{ startingMs: 0, readyMs: 1e9 }, ...six({ startingMs: 120_000 }).slice(1)]), true);
  });
});
