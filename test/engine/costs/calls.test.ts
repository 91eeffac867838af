import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cost, rowBudget } from '../../../src/engine/costs.js';

/** Calls whose cost grows with their rows, and calls that cost the same up to four rows. */
const linear = [1, 2, 4, 8].map((rows) => ({ rows, ms: 10 * rows }));
const wide = [
  { rows: 1, ms: 10 },
  { rows: 2, ms: 10.5 },
  { rows: 4, ms: 12 },
  { rows: 8, ms: 24 },
];

test('the cost of any number of rows follows from the measured costs', () => {
  assert.equal(cost(wide, 1), 10);
  assert.equal(cost(wide, 4), 12);
  assert.equal(cost(wide, 3), 11.25);
  assert.equal(cost(wide, 6), 18);
  assert.equal(cost(wide, 16), 48);
  assert.equal(cost([{ rows: 2, ms: 8 }], 1), 4);
  assert.throws(() => cost([], 1), RangeError);
});

test('a call gets more rows only while they pay off', () => {
  assert.equal(rowBudget(linear), 1);
  assert.equal(rowBudget(wide), 4);
  const call = (ms: number): typeof wide => [
    { rows: 1, ms },
    { rows: 2, ms: 20 },
  ];
  assert.equal(rowBudget(call(10.5)), 1, 'within 5% of the best');
  assert.equal(rowBudget(call(10.6)), 2);
  assert.equal(rowBudget([]), 1);
});
