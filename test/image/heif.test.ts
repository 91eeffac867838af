import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import sharp from 'sharp';
import { decodeHeif, sniffHeif } from '../../src/image/heif.js';
import { meanDifference, tower } from './pictures.js';
import { decodeImage } from '../../src/image/decode.js';

const heic = await readFile(
  fileURLToPath(new URL('../../../test/fixtures/images/photo.heic', import.meta.url)),
);
const avif = await sharp(tower).avif({ quality: 90 }).toBuffer();

describe('sniffHeif', () => {
  it('tells AVIF from HEIC and both from videos', () => {
    assert.deepEqual([sniffHeif(avif), sniffHeif(heic)], ['AVIF', 'HEIC']);
    const box = (...brands: readonly string[]): Buffer => {
      const bytes = Buffer.alloc(8 + brands.length * 4);
      bytes.writeUInt32BE(bytes.length, 0);
      bytes.write(`ftyp${brands.join('')}`, 4, 'latin1');
      return bytes;
    };
    assert.equal(sniffHeif(box('mif1', '\0\0\0\0', 'mif1', 'avif')), 'AVIF');
    assert.equal(sniffHeif(box('mif1', '\0\0\0\0', 'mif1')), 'HEIC');
    const followed = Buffer.concat([box('mif1', '\0\0\0\0', 'mif1'), Buffer.from('avif')]);
    assert.equal(sniffHeif(followed), 'HEIC', 'what is behind the box is no brand');
    assert.equal(sniffHeif(box('isom', '\0\0\0\0', 'isom', 'avif')), null);
    assert.equal(sniffHeif(tower), null);
  });
});

describe('decodeHeif', () => {
  it('decodes AVIF', async () => {
    const image = await decodeHeif(avif, 'AVIF', 1 << 20);
    const expected = await decodeImage(tower, { maxPixels: 1 << 20 });
    assert.ok(meanDifference(image, expected) < 6);
  });

  it('says what HEIC is and what to do, and what is wrong with others', async () => {
    await assert.rejects(decodeHeif(heic, 'HEIC', 1 << 20), {
      name: 'ImageError',
      message: /HEIC.*convert it to JPEG/,
    });
    await assert.rejects(decodeHeif(avif.subarray(0, 400), 'AVIF', 1 << 20), {
      name: 'ImageError',
      message: /AVIF/,
    });
    await assert.rejects(decodeHeif(avif, 'AVIF', 1000), { name: 'ImageError', message: /512x384/ });
  });
});
