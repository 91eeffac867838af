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
  it('distinguishes AVIF, HEIC and videos', () => {
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
    assert.equal(sniffHeif(followed), 'HEIC', 'bytes after the box are not a brand');
    assert.equal(sniffHeif(box('isom', '\0\0\0\0', 'isom', 'avif')), null);
    assert.equal(sniffHeif(tower), null);
  });
});

describe('brands', () => {
  const file = (...brands: readonly string[]): Buffer => {
    const bytes = Buffer.alloc(8 + 4 * brands.length);
    bytes.writeUInt32BE(bytes.length, 0);
    bytes.write(`ftyp${brands.join('')}`, 4, 'latin1');
    return bytes;
  };

  it('identify a file, alone or next to a general brand', () => {
    for (const [kind, brands] of [
      ['AVIF', ['avif', 'avis']],
      ['HEIC', ['heic', 'heix', 'heim', 'heis', 'hevc', 'hevx']],
    ] as const) {
      for (const brand of brands) {
        assert.equal(sniffHeif(file(brand)), kind, brand);
        assert.equal(sniffHeif(file(brand, '\0\0\0\0', kind === 'AVIF' ? 'heic' : 'avif')), kind, brand);
        for (const general of ['mif1', 'msf1']) {
          assert.equal(sniffHeif(file(general, '\0\0\0\0', 'miaf', brand)), kind, `${general}, ${brand}`);
        }
      }
    }
    for (const general of ['mif1', 'msf1']) assert.equal(sniffHeif(file(general)), 'HEIC');
    assert.equal(sniffHeif(file('miaf', '\0\0\0\0', 'avif')), null);
    assert.equal(sniffHeif(file()), null);
  });

  it('are read only within the box and within the file', () => {
    const box = file('mif1', '\0\0\0\0', 'avif');
    for (const length of [0, 4, 7]) assert.equal(sniffHeif(box.subarray(0, length)), null);
    for (const length of [8, 11]) assert.equal(sniffHeif(box.subarray(0, length)), null);
    for (const length of [12, 16, 19]) assert.equal(sniffHeif(box.subarray(0, length)), 'HEIC', `${length}`);
    for (const length of [20, 24]) {
      const longer = Buffer.concat([box, Buffer.from('heic')]);
      longer.writeUInt32BE(length, 0);
      assert.equal(sniffHeif(longer), 'AVIF', `${length}`);
    }
    box.writeUInt32BE(0xffffffff, 0);
    assert.equal(sniffHeif(box), 'AVIF');
    box.writeUInt32BE(19, 0);
    assert.equal(sniffHeif(box), 'HEIC', 'the last brand is cut off');
    const other = file('avif');
    other.write('ftyq', 4, 'latin1');
    assert.equal(sniffHeif(other), null);
  });
});

describe('decodeHeif', () => {
  it('decodes AVIF', async () => {
    const image = await decodeHeif(avif, 'AVIF', 1 << 20);
    const expected = await decodeImage(tower, { maxPixels: 1 << 20 });
    assert.ok(meanDifference(image, expected) < 6);
  });

  it('explains HEIC and what to do, and what is wrong with other files', async () => {
    await assert.rejects(decodeHeif(heic, 'HEIC', 1 << 20), {
      name: 'ImageError',
      message: /HEIC.*convert it to JPEG/,
    });
    await assert.rejects(decodeHeif(avif.subarray(0, 400), 'AVIF', 1 << 20), {
      name: 'ImageError',
      message: /AVIF/,
    });
    await assert.rejects(decodeHeif(avif, 'AVIF', 1000), { name: 'ImageError', message: /512x384/ });
    const failed = { name: 'ImageError', message: /^the HEIC image cannot be decoded: / };
    await assert.rejects(decodeHeif(tower.subarray(0, 100), 'HEIC', 1 << 20), failed);
    await assert.rejects(decodeHeif(heic, 'AVIF', 1 << 20), {
      name: 'ImageError',
      message: /^the AVIF image cannot be decoded: /,
    });
  });

  it('decodes pictures up to the pixel limit', async () => {
    assert.equal((await decodeHeif(avif, 'AVIF', 512 * 384)).width, 512);
    await assert.rejects(decodeHeif(avif, 'AVIF', 512 * 384 - 1), {
      message: 'the image is too large: 512x384 pixels, the limit is 196607',
    });
  });
});
