import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import {
  frameMs,
  frameWork,
  framesPerSecond,
  rowsPerSecond,
  unbrokenMs,
  workTime,
} from '../../../src/engine/costs.js';
import { activeControlNames } from '../../../src/engine/active-controls.js';

/** Calls of 4 rows are the best that the budget allows: 10 ms a row. */
const costs = {
  costs: [
    { rows: 1, ms: 20 },
    { rows: 2, ms: 30 },
    { rows: 4, ms: 40 },
    { rows: 8, ms: 40 },
  ],
  rowBudget: 4,
  pictureMs: 15,
};
const parameters = { ...defaultParameters(), cfg_type: 'none', t_index_list: [1, 2, 3] } as const;

test('rows a second are those of the best calls within the budget', () => {
  assert.equal(rowsPerSecond(costs), 100);
  assert.equal(rowsPerSecond({ ...costs, rowBudget: 2 }), (2 / 30) * 1000);
  assert.equal(rowsPerSecond({ costs: [], rowBudget: 1 }), 0);
});

test('a frame takes a row for each stage, with guidance two or one more, and its pictures', () => {
  const full = { ...parameters, cfg_type: 'full', guidance_scale: 2 } as const;
  assert.deepEqual(frameWork(costs, parameters), { rows: 3, pictureMs: 15 });
  assert.equal(frameWork(costs, full).rows, 6);
  assert.equal(frameWork(costs, { ...full, guidance_scale: 1 }).rows, 3);
  assert.equal(frameWork(costs, { ...full, cfg_type: 'initialize' }).rows, 4);
  assert.equal(frameWork(costs, { ...parameters, t_index_list: null, steps: 2 }).rows, 2);
  assert.equal(frameMs(costs, parameters), 45);
  assert.equal(framesPerSecond(costs, parameters), 1000 / 45);
});

test('its pictures share calls of the best size, as far as frames enter together', () => {
  const pictureCosts = [
    { rows: 1, ms: 15 },
    { rows: 2, ms: 24 },
    { rows: 4, ms: 40 },
    { rows: 8, ms: 72 },
  ];
  const many = { ...costs, pictureCosts };
  assert.equal(frameWork(many, parameters).pictureMs, 10);
  assert.equal(frameWork({ ...many, rowBudget: 2 }, parameters).pictureMs, 12);
  assert.equal(frameWork({ ...many, rowBudget: 1 }, parameters).pictureMs, 15);
  assert.equal(frameMs(many, parameters), 40);
  assert.equal(unbrokenMs(many, parameters), unbrokenMs(costs, parameters));
});

test('work takes full calls and one smaller call', () => {
  assert.deepEqual(workTime(costs, { rows: 9, pictureMs: 5 }), { calls: 3, ms: 5 + 40 + 40 + 20 });
  assert.deepEqual(workTime(costs, { rows: 8, pictureMs: 5 }), { calls: 2, ms: 5 + 40 + 40 });
  assert.deepEqual(workTime(costs, { rows: 3, pictureMs: 0 }), { calls: 1, ms: 35 });
  assert.deepEqual(workTime(costs, { rows: 0, pictureMs: 1 }), { calls: 0, ms: 1 });
});

test('a frame that is steered by pictures or earlier frames takes the time of the steered U-Net and of its controls', () => {
  const steered = { ...costs, steered: { ratio: 1.25, controlRatio: 0.25, bankRatio: 0.125, featuresMs: 2 } };
  const controls = { canny: { scale: 1 }, depth: { scale: 0 }, pose: { scale: 0.1 } };
  assert.deepEqual(activeControlNames({ ...parameters, controls }), ['canny', 'pose']);
  assert.deepEqual(frameWork(steered, { ...parameters, controls }), { rows: 1.75 * 3, pictureMs: 19 });
  assert.deepEqual(frameWork(steered, { ...parameters, attention_bank_frames: 2 }), {
    rows: 1.5 * 3,
    pictureMs: 15,
  });
  const styled = { ...parameters, style_image: new Uint8Array(1) };
  assert.deepEqual(frameWork(steered, styled), { rows: 1.25 * 3, pictureMs: 15 });
  assert.deepEqual(frameWork(steered, { ...styled, ip_adapter_scale: 0 }), { rows: 3, pictureMs: 15 });
  assert.deepEqual(frameWork(steered, parameters), { rows: 3, pictureMs: 15 });
  assert.deepEqual(frameWork(steered, { ...parameters, controls, mode: 'txt2img' }), {
    rows: 3,
    pictureMs: 15,
  });
  assert.equal(unbrokenMs(steered, { ...parameters, controls }), 19 + 1.75 * 20);
  assert.equal(
    unbrokenMs({ ...steered, slowest: { ...costs, pictureMs: 50 } }, { ...parameters, controls }),
    70,
  );
  assert.deepEqual(frameWork(costs, { ...parameters, controls }), { rows: 3, pictureMs: 15 }, 'not measured');
});
