import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { LiveStream } from '../../../../src/engine/worker/streams/live-stream.js';
import type { FrameInput } from '../../../../src/engine/frame-input.js';
import { clock, push, setUp, side, type Rig, useClock } from './frame-loop-rig.js';

useClock();

const size = { width: side, height: side };
/** A mask over the left half of the picture. */
const mask = {
  mask: 'rectangle',
  mask_x: 0,
  mask_y: 0.5,
  mask_width: 1,
  mask_height: 1,
  mask_feather: 0,
} as const;

/** Returns the memory that was sent back so far. */
function recycled({ posted }: Rig): readonly ArrayBuffer[] {
  return posted.flatMap((message) => (message.type === 'recycle' ? [message.pixels] : []));
}

/** Pushes a frame with a mask of its own, whose right half is 255. */
function pushMasked(
  stream: LiveStream,
  frame: number,
  byte: number,
): Required<Pick<FrameInput, 'image' | 'mask'>> {
  const image = { ...size, data: new Uint8Array(side * side * 3).fill(byte) };
  const own = {
    ...size,
    data: Uint8Array.from({ length: side * side }, (_, i) => (i % side < side / 2 ? 0 : 255)),
  };
  const input = { image, mask: own };
  stream.push({ frame, ...size, input, arrivedAt: clock.now }, false);
  return input;
}

/** Returns the first bytes of the left and right halves of a result. */
function halves(pixels: ArrayBuffer | undefined): readonly (number | undefined)[] {
  const bytes = new Uint8Array(pixels ?? new ArrayBuffer(0));
  return [bytes[0], bytes[3 * (side - 1)]];
}

describe('a frame with a mask', () => {
  it('keeps its picture until its result, in which it stays outside the mask', async () => {
    const rig = setUp();
    const stream = await rig.open(7, mask);
    const pixels = push(stream, 0, { byte: 90 });
    await rig.loop.turn();
    assert.deepEqual(recycled(rig), []);
    await rig.loop.turn();
    assert.deepEqual(recycled(rig), [pixels]);
    const [drawn, stayed] = halves(rig.results()[0]?.pixels);
    assert.equal(stayed, 90);
    assert.notEqual(drawn, 90);
  });

  it('of its own gives back the memory of both', async () => {
    const rig = setUp();
    const stream = await rig.open(7, mask);
    const input = pushMasked(stream, 0, 90);
    await rig.loop.turn();
    await rig.loop.turn();
    assert.deepEqual(recycled(rig), [input.image?.data.buffer, input.mask.data.buffer]);
    const [stayed, drawn] = halves(rig.results()[0]?.pixels);
    assert.equal(stayed, 90);
    assert.notEqual(drawn, 90);
  });

  it('has its mask whatever comes after it, and other streams have none', async () => {
    const rig = setUp();
    const [masked, plain] = [await rig.open(7, mask), await rig.open(8)];
    push(masked, 0, { byte: 90 });
    push(plain, 0, { byte: 90 });
    await rig.loop.turn();
    pushMasked(masked, 1, 50);
    for (let turn = 0; turn < 3; turn++) await rig.loop.turn();
    const byFrame = new Map(
      rig.results().map((result) => [`${result.stream}: ${result.frame}`, result.pixels]),
    );
    assert.equal(halves(byFrame.get('7: 0'))[1], 90);
    assert.equal(halves(byFrame.get('7: 1'))[0], 50);
    const [left, right] = halves(byFrame.get('8: 0'));
    assert.equal(left, right);
    assert.notEqual(left, 90);
  });

  it('gives its memory back wherever it fails, and when its stream is gone', async () => {
    for (const part of ['encode', 'predict', 'overflow', 'decode'] as const) {
      const rig = setUp();
      const stream = await rig.open(7, { ...mask, t_index_list: [10] });
      rig.spoil.add(part);
      const input = pushMasked(stream, 0, 90);
      await rig.loop.turn();
      assert.deepEqual(recycled(rig), [input.image?.data.buffer, input.mask.data.buffer], part);
      assert.ok(rig.fates().includes('7: 0 failed'), part);
    }
    const rig = setUp();
    const stream = await rig.open(7, mask);
    const pixels = push(stream, 0);
    await rig.loop.turn();
    rig.loop.remove(stream);
    assert.deepEqual(recycled(rig), [pixels]);
  });

  it('from noise alone changes everywhere', async () => {
    const rig = setUp();
    const stream = await rig.open(7, { ...mask, t_index_list: [10] });
    push(stream, 0, { textOnly: true });
    await rig.loop.turn();
    const [left, right] = halves(rig.results()[0]?.pixels);
    assert.equal(left, right);
  });

  it('that continues elsewhere keeps what stays in its latent; its picture is not there', async () => {
    const first = setUp();
    const stream = await first.open(7, mask);
    push(stream, 0, { byte: 90 });
    await first.loop.turn();
    const state = structuredClone(stream.snapshot());
    assert.ok(state.frames[0]?.kept);
    const second = setUp();
    const other = await second.open(8, mask);
    second.loop.remove(other);
    other.restore(state);
    second.loop.add(other);
    await second.loop.turn();
    assert.equal(second.results().length, 1);
    assert.deepEqual(recycled(second), []);
  });
});

describe('a frame of a stream with picture feedback', () => {
  it('is encoded with a share of the result before it', async () => {
    const results: (number | undefined)[] = [];
    for (const pixel_feedback of [0, 0.5]) {
      const rig = setUp();
      const stream = await rig.open(7, { t_index_list: [45], pixel_feedback });
      for (const frame of [0, 1]) {
        push(stream, frame, { byte: 200 });
        await rig.loop.turn();
      }
      results.push(...rig.results().map(({ pixels }) => halves(pixels)[0]));
    }
    const [first, second, firstFed, secondFed] = results;
    assert.equal(first, firstFed);
    assert.notEqual(second, secondFed);
  });

  it('has none of a frame that failed', async () => {
    const rig = setUp();
    const stream = await rig.open(7, { t_index_list: [45], pixel_feedback: 0.5 });
    const results: (number | undefined)[] = [];
    for (const frame of [0, 1, 2]) {
      if (frame === 1) rig.spoil.add('predict');
      push(stream, frame, { byte: 200 });
      await rig.loop.turn();
      results.push(halves(rig.results().at(-1)?.pixels)[0]);
    }
    assert.equal(rig.results().length, 2);
    assert.equal(results[2], results[0]);
    assert.ok(rig.fates().includes('7: 1 failed'));
  });
});
