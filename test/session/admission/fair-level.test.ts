import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fairLevel } from '../../../src/session/admission/fair-level.js';

describe('fairLevel', () => {
  it('limits nobody if there is enough', () => {
    assert.equal(fairLevel([], 10), Infinity);
    assert.equal(fairLevel([3, 7], 10), Infinity);
  });

  it('is the same for all who need more', () => {
    assert.equal(fairLevel([8, 8, 8, 8], 10), 2.5);
    assert.equal(fairLevel([9, 1, 100], 10), 4.5);
  });

  it('gives everything away, and to each at most its need', () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1e6, noNaN: true })),
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        (needs, available) => {
          const level = fairLevel(needs, available);
          const given = needs.reduce((sum, need) => sum + Math.min(need, level), 0);
          const needed = needs.reduce((sum, need) => sum + need, 0);
          const error = 1e-9 * Math.max(needed, available);
          assert.ok(Math.abs(given - Math.min(needed, available)) <= error, `${given}`);
        },
      ),
    );
  });
});
