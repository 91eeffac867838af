import assert from 'node:assert/strict';
import { it } from 'node:test';
import { decodeImage } from '../../src/image/decode.js';
import { encodePreview } from '../../src/image/preview.js';
import { meanDifference, tower } from './pictures.js';

const maxPixels = 1 << 20;

it('a preview is a JPEG of the picture, at most 160 pixels wide and high, and no larger than the picture', async () => {
  for (const [width, height, ...wanted] of [
    [512, 256, 160, 80],
    [64, 320, 32, 160],
    [48, 32, 48, 32],
  ] as const) {
    const box = { width, height, fit: 'stretch' } as const;
    const image = await decodeImage(tower, { maxPixels, box });
    // A buffer from a pool may be longer than the picture.
    const data = new Uint8Array(image.data.length + 7);
    data.set(image.data);
    const preview = await decodeImage(await encodePreview({ ...image, data }), { maxPixels });
    assert.deepEqual([preview.width, preview.height], wanted);
    const small = { width: wanted[0], height: wanted[1], fit: 'stretch' } as const;
    assert.ok(meanDifference(preview, await decodeImage(tower, { maxPixels, box: small })) < 12);
  }
});
