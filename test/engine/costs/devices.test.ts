import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combined, rowsPerSecond, slowedBy } from '../../../src/engine/costs.js';

const fast = {
  costs: [
    { rows: 1, ms: 5 },
    { rows: 2, ms: 8 },
  ],
  rowBudget: 2,
  pictureMs: 4,
};
const slow = slowedBy(3, fast);

test('on a slower device calls and pictures take longer by its factor, with the same rows', () => {
  assert.deepEqual(slow, {
    costs: [
      { rows: 1, ms: 15 },
      { rows: 2, ms: 24 },
    ],
    rowBudget: 2,
    pictureMs: 12,
  });
});

test('the rates of several devices add up', () => {
  const both = combined([fast, slow]);
  assert.deepEqual(
    both.costs.map(({ rows }) => rows),
    [2, 4],
  );
  assert.equal(both.rowBudget, 4);
  assert.ok(Math.abs(both.pictureMs - 3) < 1e-9);
  assert.ok(Math.abs(rowsPerSecond(both) - rowsPerSecond(fast) - rowsPerSecond(slow)) < 1e-9);
});
