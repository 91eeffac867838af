import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { encodeImage, encodeJpeg } from '../../src/image/encode.js';
import { fitImage } from '../../src/image/fit.js';
import { meanDifference, tower } from './pictures.js';

const maxPixels = 1 << 20;
const photo = await decodeImage(tower, { maxPixels });

describe('encodeJpeg', () => {
  it('returns a 4:2:0 JPEG that shows the picture', async () => {
    const jpeg = await encodeJpeg(photo, 90);
    const { format, width, height, chromaSubsampling } = await sharp(jpeg).metadata();
    assert.deepEqual([format, width, height, chromaSubsampling], ['jpeg', 512, 384, '4:2:0']);
    assert.ok(meanDifference(await decodeImage(jpeg, { maxPixels }), photo) < 4);
  });

  it('returns bytes that own their memory, fewer at lower quality', async () => {
    const [low, high] = await Promise.all([encodeJpeg(photo, 20), encodeJpeg(photo, 95)]);
    assert.equal(low.buffer.byteLength, low.length);
    assert.ok(low.length < high.length / 3);
    const moved = structuredClone(high, { transfer: [high.buffer] });
    assert.equal((await decodeImage(moved, { maxPixels })).width, 512);
  });

  it('keeps concurrent calls separate, whatever their sizes', async () => {
    const sizes = [64, 512, 128, 256, 320, 96];
    const images = await Promise.all(
      sizes.map((side) => fitImage(photo, { width: side, height: side }, 'cover')),
    );
    const alone = [];
    for (const image of images) alone.push(await encodeJpeg(image, 80));
    for (let round = 0; round < 5; round++) {
      const concurrent = await Promise.all(images.map((image) => encodeJpeg(image, 80)));
      assert.deepEqual(concurrent, alone);
    }
  });

  it('encodes from a buffer longer than the picture', async () => {
    const data = new Uint8Array(photo.data.length + 999);
    data.set(photo.data);
    assert.deepEqual(await encodeJpeg({ ...photo, data }, 80), await encodeJpeg(photo, 80));
  });
});

describe('encodeImage', () => {
  it('returns a file in the requested format', async () => {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const file = await encodeImage(photo, format, 80);
      const { format: read, width, height, channels } = await sharp(file).metadata();
      assert.deepEqual([read, width, height, channels], [format, 512, 384, 3]);
      const difference = meanDifference(await decodeImage(file, { maxPixels }), photo);
      assert.ok(format === 'png' ? difference === 0 : difference > 0 && difference < 6, format);
    }
  });

  it('applies the quality, except for PNG, which is lossless', async () => {
    for (const format of ['jpeg', 'png', 'webp'] as const) {
      const [low, high] = [await encodeImage(photo, format, 20), await encodeImage(photo, format, 95)];
      if (format === 'png') assert.deepEqual(low, high);
      else assert.ok(low.length < high.length / 3, format);
    }
    assert.deepEqual(await encodeImage(photo, 'jpeg', 70), await encodeJpeg(photo, 70));
  });
});
