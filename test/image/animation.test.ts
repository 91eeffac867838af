import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { isAnimatedPng, openAnimatedWebp } from '../../src/image/animation.js';
import { extendedWebp, pngChunk, pngFile, webpChunk } from './files.js';
import { meanColour, tower } from './pictures.js';

const colours = ['#f00', '#0f0', '#00f', '#fff', '#000'];

async function animation(delay: readonly number[]): Promise<Buffer> {
  const frames = colours.slice(0, delay.length).map(async (background) =>
    sharp({ create: { width: 40, height: 30, channels: 3, background } })
      .png()
      .toBuffer(),
  );
  return sharp(await Promise.all(frames), { join: { animated: true } })
    .webp({ delay: [...delay], lossless: true })
    .toBuffer();
}

describe('openAnimatedWebp', () => {
  it('returns all pictures and how long each is shown', async () => {
    const opened = await openAnimatedWebp(await animation([100, 200, 3000, 40, 70]), 1 << 20);
    assert.deepEqual(opened?.delays, [100, 200, 3000, 40, 70]);
    const shown: string[] = [];
    for await (const image of opened?.frames() ?? []) {
      assert.deepEqual([image.width, image.height, image.data.length], [40, 30, 3600]);
      shown.push(meanColour(image).map(Math.round).join(' '));
    }
    assert.deepEqual(shown, ['255 0 0', '0 255 0', '0 0 255', '255 255 255', '0 0 0']);
  });

  it('shows pictures of 10 ms or less for 100 ms, as browsers do', async () => {
    assert.deepEqual((await openAnimatedWebp(await animation([0, 10, 11]), 1 << 20))?.delays, [100, 100, 11]);
  });

  it('returns null for a single picture and refuses large and broken ones', async () => {
    assert.equal(await openAnimatedWebp(await sharp(tower).webp().toBuffer(), 1 << 20), null);
    const bytes = await animation([50, 50]);
    await assert.rejects(openAnimatedWebp(bytes, 1000), { name: 'ImageError', message: /40x30/ });
    await assert.rejects(openAnimatedWebp(bytes.subarray(0, 40), 1 << 20), { name: 'ImageError' });
  });
});

describe('large pictures', () => {
  /** Returns an animation of three pictures in which only one dot changes. */
  async function dots(side: number): Promise<Buffer> {
    const dot = await sharp({ create: { width: 2, height: 2, channels: 3, background: '#f00' } })
      .webp({ lossless: true })
      .toBuffer();
    const place = Buffer.alloc(16);
    place.writeUIntLE(1, 6, 3);
    place.writeUIntLE(1, 9, 3);
    place.writeUIntLE(50, 12, 3);
    const frame = webpChunk('ANMF', Buffer.concat([place, dot.subarray(12)]));
    const size = { width: side, height: side, flags: 2 };
    return extendedWebp(size, webpChunk('ANIM', Buffer.alloc(6)), frame, frame, frame);
  }

  it('are decoded in batches that fit in memory, at least one at a time', async () => {
    for (const [side, batches] of [
      [3340, [2, 2, 1]],
      [3350, [1, 1, 1]],
    ] as const) {
      const opened = await openAnimatedWebp(await dots(side), side * side);
      assert.deepEqual(opened?.delays, [50, 50, 50]);
      const decoded: number[] = [];
      for await (const { width, height, data } of opened?.frames() ?? []) {
        assert.deepEqual([width, height, data.length], [side, side, 3 * side * side]);
        assert.deepEqual([...data.subarray(0, 9)], [255, 0, 0, 255, 0, 0, 0, 0, 0]);
        decoded.push(data.buffer.byteLength / (3 * side * side));
      }
      assert.deepEqual(decoded, batches, `${side}`);
    }
  });
});

describe('isAnimatedPng', () => {
  it('returns true if a chunk before the pixels declares more than one picture', () => {
    const size = { width: 1, height: 1 };
    const pixels = pngChunk('IDAT', Buffer.alloc(3));
    const control = (...bytes: readonly number[]): Buffer => pngChunk('acTL', Buffer.from(bytes));
    for (const [chunks, animated] of [
      [[control(0, 0, 0, 2), pixels], true],
      [[control(0, 0, 1, 0), pixels], true],
      [[control(0, 0, 0, 2)], true],
      [[control(0, 0, 0, 1), pixels], false],
      [[control(0, 0, 0, 0), pixels], false],
      [[control(0, 0, 2), pixels], false],
      [[control(0, 0, 0, 1), control(0, 0, 0, 2), pixels], false],
      [[pixels, control(0, 0, 0, 2)], false],
      [[pngChunk('acTl', Buffer.of(0, 0, 0, 2)), pixels], false],
      [[], false],
    ] as const) {
      assert.equal(isAnimatedPng(pngFile(size, ...chunks)), animated);
    }
  });

  it('reads the acTL chunk of a real file', async () => {
    const still = await sharp(tower).png().toBuffer();
    assert.equal(isAnimatedPng(still), false);
    const control = Buffer.alloc(20);
    control.writeUInt32BE(8, 0);
    control.write('acTL', 4, 'latin1');
    const withFrames = (frames: number): Buffer => {
      control.writeUInt32BE(frames, 8);
      return Buffer.concat([still.subarray(0, 33), control, still.subarray(33)]);
    };
    assert.deepEqual([isAnimatedPng(withFrames(2)), isAnimatedPng(withFrames(1))], [true, false]);
    assert.equal(isAnimatedPng(still.subarray(0, 20)), false);
  });
});
