import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { streamBankBytes, combined, rowsPerSecond, slowedBy } from '../../../src/engine/costs.js';

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

test('pictures that share calls take longer on a slower device, and the rates of several devices add up', () => {
  const pictureCosts = [
    { rows: 1, ms: 4 },
    { rows: 2, ms: 6 },
  ];
  const sharing = { ...fast, pictureCosts };
  const slower = slowedBy(3, sharing);
  assert.deepEqual(
    slower.pictureCosts?.map(({ ms }) => ms),
    [12, 18],
  );
  const both = combined([
    sharing,
    { ...slower, pictureCosts: [...slower.pictureCosts, { rows: 4, ms: 30 }] },
  ]);
  assert.deepEqual(both.pictureCosts, [
    { rows: 2, ms: 6 },
    { rows: 4, ms: 9 },
  ]);
  assert.equal(combined([sharing, slow]).pictureCosts, undefined);
});

test('steering costs by its ratio on any device; controls take longer on a slower one', () => {
  const ratios = { ratio: 1.5, controlRatio: 0.5, bankRatio: 0.25 };
  const steered = { ...fast, steered: { ...ratios, featuresMs: 2 } };
  const slower = slowedBy(3, steered);
  assert.deepEqual(slower.steered, { ...ratios, featuresMs: 6 });
  const other = { ...slower, steered: { ratio: 2, controlRatio: 0.25, bankRatio: 1, featuresMs: 6 } };
  assert.deepEqual(combined([steered, other]).steered, {
    ratio: 2,
    controlRatio: 0.5,
    bankRatio: 1,
    featuresMs: 1.5,
  });
  assert.equal(combined([fast, slow]).steered, undefined);
});

test('attention banks take memory by rows and frames, which several devices add up', () => {
  const bank = { limit: 100, rowBytes: 4 };
  const one = slowedBy(2, { ...fast, bank });
  assert.deepEqual(one.bank, bank);
  const both = combined([one, { ...slow, bank: { limit: 50, rowBytes: 4 } }]);
  assert.deepEqual(both.bank, { limit: 150, rowBytes: 4 });
  const steps = {
    ...defaultParameters(),
    t_index_list: [1, 2],
    cfg_type: 'none',
    attention_bank_frames: 3,
  } as const;
  assert.equal(streamBankBytes(one, steps), 3 * 2 * 4);
  assert.equal(streamBankBytes(one, { ...steps, cfg_type: 'full', guidance_scale: 2 }), 3 * 4 * 4);
  assert.equal(streamBankBytes(fast, steps), 0);
});
