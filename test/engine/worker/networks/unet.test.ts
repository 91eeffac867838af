import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { guidanceConditioning } from '../../../../src/engine/worker/networks/guidance-embedding.js';
import { blankRow } from '../../../../src/engine/worker/networks/unet.js';

import {
  create,
  port,
  predictions,
  row,
  rows,
  shape,
  textLength,
  textWidth,
  wanted,
  withVectors,
  inputsWith,
} from './unet-rig.js';

describe('rows', () => {
  it('go into one call where each has its own timestep', async () => {
    const { unet, calls } = await create();
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(calls, [
      {
        sample: { shape: [5, 1, 1, 2], data: [1, -1, 2, -2, 3, -3, 4, -4, 5, -5] },
        timestep: { shape: [5], data: [512, 256, 512, 512, 256] },
        encoder_hidden_states: { shape: [5, 1, 3], data: [1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4, 5, 5, 5] },
      },
    ]);
  });

  it('are grouped by timestep if a call has only one, and come back in order', async () => {
    const { unet, calls } = await create({ timesteps: 'one' });
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(
      calls.map(({ sample, timestep }) => [
        sample.data.filter((value) => value > 0),
        timestep.shape,
        timestep.data,
      ]),
      [
        [[1, 3, 4], [1], [512]],
        [[2, 5], [1], [256]],
      ],
    );
    const scalar = await create({ timesteps: 'one', inputs: inputsWith(port('timestep', [], 'int64')) });
    assert.deepEqual(await predictions(scalar.unet, rows), wanted);
    assert.deepEqual(scalar.calls[0]['timestep'], { shape: [], data: [512] });
  });

  it('of prompts that differ in length go into different calls, and come back in order', async () => {
    const { unet, calls } = await create();
    const long = { encoder_hidden_states: new Float32Array(2 * textWidth) };
    const mixed = rows.map((each, i) => (i % 2 === 0 ? { ...each, conditioning: long } : each));
    assert.deepEqual(await predictions(unet, mixed), wanted);
    assert.deepEqual(
      calls.map(({ encoder_hidden_states: text }) => text?.shape),
      [
        [3, 2, textWidth],
        [2, 1, textWidth],
      ],
    );
  });

  it('fill calls of the number that the export fixed, the last one padded', async () => {
    const { unet, calls } = await create({ rows: 2 });
    assert.deepEqual(await predictions(unet, rows), wanted);
    assert.deepEqual(
      calls.map(({ sample, timestep }) => [
        sample.shape[0],
        sample.data.filter((value) => value > 0),
        timestep.data,
      ]),
      [
        [2, [1, 2], [512, 256]],
        [2, [3, 4], [512, 512]],
        [2, [5, 5], [256, 256]],
      ],
    );
    const both = await create({ rows: 2, timesteps: 'one' });
    assert.deepEqual(await predictions(both.unet, rows), wanted);
    assert.equal(both.calls.length, 3);
    assert.deepEqual(await predictions(both.unet, rows.slice(0, 1)), wanted.slice(0, 1));
    assert.deepEqual(await predictions((await create({ rows: 1 })).unet, rows), wanted);
  });
});

describe('further inputs of a U-Net', () => {
  it('include its embedded guidance scale, 1 by default', async () => {
    const { unet, calls, folder } = await create(withVectors(['timestep_cond', 'conditioning', 4]));
    const scaled = (scale: number): object => guidanceConditioning(folder.layout.unet, scale) ?? {};
    await unet.predict([row(1, 512, scaled(1)), row(2, 512), row(3, 512, scaled(8))], shape);
    const { shape: sizes, data } = calls[0]['timestep_cond'];
    assert.deepEqual(sizes, [3, 4]);
    assert.deepEqual(data.slice(0, 4), data.slice(4, 8));
    assert.notDeepEqual(data.slice(0, 4), data.slice(8));
  });

  it('include the pooled prompt, and the size of the picture as uncropped', async () => {
    const { unet, calls } = await create(
      withVectors(['text_embeds', 'conditioning', 2], ['time_ids', 'size', 6]),
    );
    const pooled = (...values: number[]): object => ({ text_embeds: Float32Array.from(values) });
    await unet.predict([row(1, 512, pooled(7, 8)), row(2, 512, pooled(9, 10))], shape);
    assert.deepEqual(calls[0]['text_embeds'], { shape: [2, 2], data: [7, 8, 9, 10] });
    const size = [8, 16, 0, 0, 8, 16];
    assert.deepEqual(calls[0]['time_ids'], { shape: [2, 6], data: [...size, ...size] });
  });

  it('get nothing of another length, which would leave values of other rows in the call', async () => {
    const { unet, calls } = await create(withVectors(['text_embeds', 'conditioning', 2]));
    const rows = [row(1, 512, { text_embeds: Float32Array.of(7, 8) })];
    for (const length of [1, 3]) {
      const wrong = row(2, 512, { text_embeds: new Float32Array(length) });
      await assert.rejects(unet.predict([...rows, wrong], shape), {
        name: 'RangeError',
        message: `text_embeds: a row has ${length} values, not 2`,
      });
    }
    assert.deepEqual(calls, []);
  });
});

describe('properties that a graph does not declare', () => {
  const side = 16 / 8;
  const sample = { shape: [2, 1, side, side], data: Array.from({ length: 2 * side * side }, () => 0) };
  const text = (chunks: number): object => ({
    shape: [2, chunks * textLength, textWidth],
    data: Array.from({ length: 2 * chunks * textLength * textWidth }, () => 0),
  });

  it('are tried: a timestep for each row, and two chunks of tokens', async () => {
    const mixed = { shape: [2], data: [800, 700] };
    const { unet, trials } = await create({ timesteps: 'perhaps' });
    assert.deepEqual([unet.mixesTimesteps, unet.takesChunks], [true, true]);
    assert.deepEqual(trials, [
      { sample, timestep: mixed, encoder_hidden_states: text(1) },
      { sample, timestep: mixed, encoder_hidden_states: text(2) },
    ]);
    const refusing = await create({ timesteps: 'perhaps' }, () => false);
    assert.deepEqual([refusing.unet.mixesTimesteps, refusing.unet.takesChunks], [false, false]);
    assert.deepEqual(refusing.trials[1], {
      sample,
      timestep: { shape: [1], data: [800] },
      encoder_hidden_states: text(2),
    });
  });

  it('are not tried if it does declare them', async () => {
    for (const [timesteps, mixes] of [
      ['rows', true],
      ['one', false],
    ] as const) {
      const { unet, trials } = await create({ timesteps, tokens: textLength });
      assert.deepEqual([unet.mixesTimesteps, unet.takesChunks, trials], [mixes, false, []]);
    }
  });

  it('are tried with the rows and the size that the export fixed', async () => {
    const { trials } = await create({ rows: 3, height: 4, width: 5 });
    assert.deepEqual(
      trials.map((trial) => [trial['sample'].shape, trial['timestep'].data]),
      [
        [
          [3, 1, 4, 5],
          [800, 700, 600],
        ],
      ],
    );
  });
});

it('a blank row is all zeros, with an empty prompt of the same number of chunks', async () => {
  const { folder } = await create();
  assert.deepEqual(blankRow(folder, [1, 2, 3], 500), {
    role: 'positive',
    stage: { timestep: 500, a: 1, b: 1, inputScale: 1 },
    input: new Float32Array(6),
    conditioning: { encoder_hidden_states: new Float32Array(6) },
  });
  const { conditioning } = blankRow(folder, [1, 2, 3], 500, { chunks: 2 });
  assert.equal(conditioning.encoder_hidden_states.length, 12);
});
