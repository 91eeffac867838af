import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import type { FrameInput } from '../../../../src/engine/engine.js';
import { setUp, side } from './live-stream-rig.js';

describe('the similarity filter', () => {
  const still = { similar_image_filter: true, similar_image_filter_threshold: 0.9 } as const;

  it('drops frames that are like the last one that entered, up to a limit in a row', async () => {
    const { drops, push, turn } = await setUp({ ...still, similar_image_filter_max_skip_frame: 2 });
    for (const frame of [10, 11, 12, 13, 14]) {
      push(frame);
      turn();
    }
    assert.deepEqual(drops, ['3: 11 similar', '3: 12 similar', '3: 14 similar']);
  });

  it('compares masks and pictures of controls too, if they came with the frame', async () => {
    const size = { width: side, height: side };
    const mask = (byte: number) => ({ ...size, data: new Uint8Array(side * side).fill(byte) });
    const picture = (byte: number) => ({ ...size, data: new Uint8Array(3 * side * side).fill(byte) });
    const image = picture(10);
    const others: readonly (readonly [
      what: string,
      first: Partial<FrameInput>,
      second: Partial<FrameInput>,
    ])[] = [
      ['a mask', { mask: mask(0) }, { mask: mask(255) }],
      ['the first mask', {}, { mask: mask(255) }],
      [
        'a picture of a control',
        { controls: { depth: picture(0) }, sent: ['depth'] },
        { controls: { depth: picture(255) }, sent: ['depth'] },
      ],
    ];
    for (const [what, first, second] of others) {
      const { stream, drops, turn } = await setUp(still);
      for (const [frame, own] of [first, first, second].entries()) {
        stream.push({ frame, ...size, input: { image, ...own }, arrivedAt: 0 }, true);
        turn();
      }
      assert.deepEqual(drops, ['3: 1 similar'], what);
    }
    const { stream, drops, turn } = await setUp(still);
    for (const [frame, byte] of [0, 255].entries()) {
      const controls = { canny: picture(byte) };
      stream.push({ frame, ...size, input: { image, controls }, arrivedAt: 0 }, true);
      turn();
    }
    assert.deepEqual(drops, ['3: 1 similar'], 'what was made from the frame is as the frame');
  });

  it('ignores frames while it is off, and does not compare with frames from before a change', async () => {
    const off = await setUp({ ...still, similar_image_filter: false });
    for (const frame of [10, 11]) {
      off.push(frame);
      off.turn();
    }
    assert.deepEqual(off.drops, []);
    const { drops, push, turn, configure } = await setUp(still);
    push(10);
    turn();
    await configure({ prompt: 'cat' });
    push(11);
    turn();
    assert.deepEqual(drops, []);
  });

  it('compares each frame once, and no more frames than may enter', async () => {
    const { stream, drops, push, turn } = await setUp({ ...still, similar_image_filter_max_skip_frame: 9 });
    push(10, { replace: false });
    turn();
    for (const frame of [11, 12, 200, 201]) push(frame, { replace: false });
    stream.screen();
    stream.screen();
    assert.deepEqual(drops, ['3: 11 similar', '3: 12 similar']);
    assert.equal(stream.entries().length, 1);
    assert.equal(stream.takeEntry().frame, 200);
  });
});

describe('random skipping by the similarity filter', () => {
  /** Returns which of many slightly similar frames are skipped. */
  async function skipped(seed: StreamParameters['seed']): Promise<string> {
    const settings = { similar_image_filter: true, similar_image_filter_threshold: 0.5 } as const;
    const { stream, drops, turn } = await setUp({ ...settings, seed, t_index_list: [10] });
    for (let frame = 0; frame < 60; frame++) {
      const data = new Uint8Array(side * side * 3).fill(255);
      // A sixteenth is black, a different one in each frame: each is skipped with a probability of a half.
      const part = data.length / 16;
      data.fill(0, (frame % 8) * part, ((frame % 8) + 1) * part);
      const size = { width: side, height: side };
      stream.push({ frame, ...size, input: { image: { ...size, data } }, arrivedAt: 0 }, true);
      turn();
    }
    return drops.join();
  }

  it('depends on the seed, or the first of several', async () => {
    const wanted = await skipped(7);
    assert.ok(wanted.includes('similar'));
    assert.equal(
      await skipped([
        { seed: 7, weight: 1 },
        { seed: 8, weight: 1 },
      ]),
      wanted,
    );
    assert.notEqual(await skipped(8), wanted);
  });

  it('depends on the last picture, even if a frame came without one', async () => {
    const settings = { similar_image_filter: true, t_index_list: [10] } as const;
    const { stream, drops, push, turn } = await setUp(settings);
    push(10);
    turn();
    stream.push({ frame: 11, width: side, height: side, input: { image: null }, arrivedAt: 0 }, true);
    turn();
    push(12, { byte: 10 });
    turn();
    assert.deepEqual(drops, ['3: 12 similar']);
  });

  it('does not depend on a frame that was discarded', async () => {
    const { stream, drops, push, turn } = await setUp({ similar_image_filter: true });
    push(10);
    turn();
    stream.discard(10);
    push(11, { byte: 10 });
    turn();
    assert.deepEqual(drops, []);
    assert.deepEqual(
      stream.lanes().map(({ frame }) => frame),
      [11],
    );
  });
});
