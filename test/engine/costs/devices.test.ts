import assert from 'node:assert/strict';
import { test } from 'node:test';
import { combined, rowsPerSecond, slowedBy } from '../../../src/engine/costs.js';

const quick = {
  costs: [
    { rows: 1, ms: 5 },
    { rows: 2, ms: 8 },
  ],
  rowBudget: 2,
  pictureMs: 4,
};
const slow = slowedBy(3, quick);

test('on a slower device calls and pictures take as much longer, with as many rows', () => {
  assert.deepEqual(slow, {
    costs: [
      { rows: 1, ms: 15 },
      { rows: 2, ms: 24 },
    ],
    rowBudget: 2,
    pictureMs: 12,
  });
});

test('devices together do what each does, at the same time', () => {
  const both = combined([quick, slow]);
  assert.deepEqual(
    both.costs.map(({ rows }) => rows),
    [2, 4],
  );
  assert.equal(both.rowBudget, 4);
  assert.ok(Math.abs(both.pictureMs - 3) < 1e-9);
  assert.ok(Math.abs(rowsPerSecond(both) - rowsPerSecond(quick) - rowsPerSecond(slow)) < 1e-9);
});
