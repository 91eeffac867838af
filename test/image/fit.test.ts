import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { fitImage } from '../../src/image/fit.js';
import type { Image } from '../../src/image/image.js';
import { meanColour, meanDifference, tower } from './pictures.js';

const photo = await decodeImage(tower, { maxPixels: 1 << 20 });

/** Returns columns `left` to `left + width` of a picture. */
function crop(image: Image, left: number, width: number): Image {
  const data = new Uint8Array(width * image.height * 3);
  for (let y = 0; y < image.height; y++) {
    const from = (y * image.width + left) * 3;
    data.set(image.data.subarray(from, from + width * 3), y * width * 3);
  }
  return { width, height: image.height, data };
}

describe('fitImage', () => {
  it('returns the picture itself if it has that size', async () => {
    assert.equal(await fitImage(photo, { width: 512, height: 384 }, 'contain'), photo);
  });

  it('keeps the middle with cover', async () => {
    const square = await fitImage(photo, { width: 384, height: 384 }, 'cover');
    assert.ok(meanDifference(square, crop(photo, 64, 384)) < 1);
  });

  it('adds black bars and keeps all of the picture with contain', async () => {
    const wide = await fitImage(photo, { width: 768, height: 384 }, 'contain');
    assert.deepEqual(meanColour(wide, 0, 0, 127), [0, 0, 0]);
    assert.deepEqual(meanColour(wide, 641, 0, 127), [0, 0, 0]);
    assert.ok(meanDifference(crop(wide, 128, 512), photo) < 1);
  });

  it('stretches all of the picture over the whole size with stretch', async () => {
    const tall = await fitImage(photo, { width: 128, height: 384 }, 'stretch');
    const [left, right] = [meanColour(tall, 0, 0, 64), meanColour(tall, 64, 0, 64)];
    const [wantLeft, wantRight] = [meanColour(photo, 0, 0, 256), meanColour(photo, 256, 0, 256)];
    for (const channel of [0, 1, 2]) {
      assert.ok(Math.abs((left[channel] ?? 0) - (wantLeft[channel] ?? 0)) < 3);
      assert.ok(Math.abs((right[channel] ?? 0) - (wantRight[channel] ?? 0)) < 3);
    }
  });

  it('resizes a picture even if one side already fits, and refuses an empty size', async () => {
    for (const [width, height] of [
      [512, 100],
      [100, 384],
    ] as const) {
      const image = await fitImage(photo, { width, height }, 'stretch');
      assert.deepEqual([image.width, image.height, image.data.length], [width, height, 3 * width * height]);
    }
    const failed = { name: 'ImageError', message: 'the image cannot be resized from 512x384 to 0x8 pixels' };
    await assert.rejects(fitImage(photo, { width: 0, height: 8 }, 'cover'), failed);
  });

  it('uses the given memory', async () => {
    const memory = new Uint8Array(256 * 256 * 3 + 5);
    const image = await fitImage(photo, { width: 256, height: 256 }, 'cover', () => memory);
    assert.equal(image.data, memory);
  });
});
