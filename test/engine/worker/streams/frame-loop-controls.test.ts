import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Row } from '../../../../src/diffusion/stream.js';
import { steeredFolder } from '../../../support/steered-folder.js';
import { clock, folder, push, setUp, useClock } from './frame-loop-rig.js';

useClock();

describe('a frame with control images', () => {
  const on = { controls: { canny: { scale: 1 }, depth: { scale: 0.5 } } } as const;
  const steered = { model: steeredFolder(folder) };
  const featuresIn = (rows: readonly Row[]): readonly (number | undefined)[][] =>
    rows.map(({ conditioning }) => ['canny', 'depth'].map((name) => conditioning[`feature of ${name}`]?.[0]));

  it('has their features computed once, and keeps them at all stages; one without a picture has none', async () => {
    const { loop, features, rows, open, results } = setUp(steered);
    const stream = await open(7, { ...on, t_index_list: [10, 30] });
    push(stream, 1, { controls: { canny: 11, depth: 12 } });
    await loop.turn();
    push(stream, 2, { controls: { canny: 21 } });
    await loop.turn();
    await loop.turn();
    assert.deepEqual(features, ['canny 11', 'depth 12', 'canny 21']);
    assert.deepEqual(rows.map(featuresIn), [
      [[11, 12]],
      [
        [11, 12],
        [21, undefined],
      ],
      [[21, undefined]],
    ]);
    assert.deepEqual(
      results().map(({ timings }) => timings),
      [
        { queueMs: 0, vaeEncodeMs: 2, denoiseMs: 8 + 10 + 2 + 4 + 20, vaeDecodeMs: 3 },
        { queueMs: 0, vaeEncodeMs: 2, denoiseMs: 4 + 20 + 3 + 10, vaeDecodeMs: 3 },
      ],
      'features count as a part of denoising',
    );
  });

  it('gets the picture that is missing from the network that the stream chooses', async () => {
    const { loop, spoil, features, fates, open } = setUp(steered);
    const stream = await open(7, {
      controls: {
        canny: { scale: 1, preprocessor: 'lines' },
        depth: { scale: 1, preprocessor: 'soft_edge' },
      },
      t_index_list: [10],
    });
    push(stream, 1, { controls: { canny: 11 } });
    await loop.turn();
    assert.deepEqual(features, ['canny 11'], 'pictures that need no network are made before');
    push(stream, 2);
    await loop.turn();
    await loop.turn();
    const [, derived = '', from = ''] = features;
    assert.match(derived, /^lines of \d+$/);
    assert.equal(from, `canny ${255 - Number(derived.split(' ').at(-1))}`);
    spoil.add('preprocess');
    push(stream, 3);
    await loop.turn();
    assert.deepEqual(fates().slice(-2), ['not finite: preprocessor', '7: 3 failed']);
  });

  it('has copies of its pictures with its result if the stream asks, a few times a second', async () => {
    const { loop, results, given, open } = setUp(steered);
    const stream = await open(7, { ...on, control_previews: true, t_index_list: [10] });
    const other = await open(8, { ...on, t_index_list: [10] });
    const shown = (): readonly unknown[] =>
      results().map(({ controls = {} }) =>
        Object.entries(controls).map(([name, { width, height, data }]) => {
          assert.equal(data.length, 3 * width * height);
          return `${name} ${data[0]}`;
        }),
      );
    for (const frame of [1, 2, 3]) {
      push(stream, frame, { controls: { canny: 10 * frame } });
      await loop.turn();
      clock.now += 150;
    }
    push(other, 1, { controls: { canny: 5 } });
    await loop.turn();
    assert.deepEqual(shown(), [['canny 10'], [], ['canny 30'], []]);
    clock.now += 1000;
    push(stream, 4);
    await loop.turn();
    assert.ok(!('controls' in results()[4]), 'without pictures');
    const { pixels, controls } = results()[0];
    assert.deepEqual(
      given.find(([first]) => first === pixels),
      [pixels, controls?.['canny'].data.buffer],
    );
  });

  it('ignores pictures of controls that are off, and gives all of them back', async () => {
    const { loop, features, given, open } = setUp(steered);
    const stream = await open(7, { controls: { canny: { scale: 0 } } });
    push(stream, 1, { controls: { canny: 11, depth: 12 } });
    await loop.turn();
    assert.deepEqual(features, []);
    assert.equal(given.length, 3);
  });

  it('fails alone if features are not finite', async () => {
    const { loop, spoil, fates, open } = setUp(steered);
    const stream = await open(7, { ...on, t_index_list: [10] });
    push(stream, 1, { controls: { canny: 11 } });
    spoil.add('features');
    await loop.turn();
    push(stream, 2, { controls: { canny: 21 } });
    await loop.turn();
    assert.deepEqual(fates(), [
      '7: 1 admitted',
      'not finite: control',
      '7: 1 failed',
      '7: 2 admitted',
      '7: 2 result',
    ]);
  });

  it('shares no call with plain rows, and its calls are expected to take longer', async () => {
    const { loop, calls, rows, open, inferences } = setUp(steered);
    const [plain, controlled] = [
      await open(1, { t_index_list: [10] }),
      await open(2, { ...on, t_index_list: [10] }),
    ];
    push(plain, 1);
    push(controlled, 1, { controls: { canny: 5 } });
    await loop.turn();
    await loop.turn();
    assert.deepEqual(calls, [1, 1]);
    assert.deepEqual(rows.map(featuresIn), [[[undefined, undefined]], [[5, undefined]]]);
    assert.deepEqual(
      inferences().map(({ expectedMs, pictureMs }) => expectedMs - (pictureMs === 0 ? 0 : 5)),
      [10, 30],
    );
  });

  it('leaves in the bank what its own rows computed', async () => {
    const { loop, rows, open } = setUp(steered);
    const streams = [
      await open(1, { t_index_list: [10], attention_bank_frames: 1 }),
      await open(2, { t_index_list: [10], attention_bank_frames: 1, cfg_type: 'full', guidance_scale: 2 }),
    ];
    for (const frame of [1, 2]) {
      for (const stream of streams) push(stream, frame);
      await loop.turn();
    }
    assert.equal(rows.length, 2);
    // The rig computes the number of each row in its call.
    assert.deepEqual(
      rows[1]?.map(({ conditioning }) => conditioning['bank_0']?.[0]),
      [0, 1, 2],
    );
  });
});
