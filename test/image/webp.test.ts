import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { readWebp } from '../../src/image/webp.js';
import { exifBlock, extendedWebp, webpChunk, webpFile } from './files.js';
import { meanDifference, tower } from './pictures.js';

const maxPixels = 1 << 20;
const photo = sharp(tower).resize(96, 72);
const [lossy, lossless] = await Promise.all([
  photo.clone().webp().toBuffer(),
  photo.clone().webp({ lossless: true }).toBuffer(),
]);
const alpha = await photo.clone().ensureAlpha(0.5).webp().toBuffer();
const frames = await Promise.all(
  ['#c00', '#0c0', '#00c'].map((background) =>
    sharp({ create: { width: 96, height: 72, channels: 3, background } })
      .png()
      .toBuffer(),
  ),
);
const animation = await sharp(frames, { join: { animated: true } })
  .webp({ lossless: true })
  .toBuffer();
const essenceOf = async (webp: Buffer): Promise<Buffer> => Buffer.from((await readWebp(webp).essence()).file);
const exif = webpChunk('EXIF', exifBlock(6, { prefix: false }));
const xmp = webpChunk('XMP ', Buffer.alloc(1000, 'a'));

describe('readWebp', () => {
  it('reads the size of lossy, lossless, extended and animated files', () => {
    for (const webp of [lossy, lossless, alpha, animation]) {
      const { width, height, orientation } = readWebp(webp);
      assert.deepEqual([width, height, orientation], [96, 72, 1]);
    }
  });

  it('leaves out metadata and everything after the image', async () => {
    assert.deepEqual(await essenceOf(lossy), lossy);
    assert.deepEqual(await essenceOf(Buffer.concat([lossy, exif, xmp])), lossy);
    const still = lossy.subarray(12);
    const full = extendedWebp(
      { width: 96, height: 72, flags: 0x0c },
      webpChunk('junk', xmp),
      still,
      exif,
      xmp,
    );
    assert.equal(readWebp(full).orientation, 6);
    assert.deepEqual(await essenceOf(full), extendedWebp({ width: 96, height: 72 }, still));
  });

  it('keeps transparency and a colour profile that has an effect', async () => {
    assert.ok((await essenceOf(alpha)).includes('ALPH'));
    const p3 = await photo.clone().withIccProfile('p3').webp().toBuffer();
    assert.deepEqual(await essenceOf(p3), p3);
    const srgb = await photo.clone().withIccProfile('srgb').webp().toBuffer();
    assert.deepEqual(await essenceOf(srgb), extendedWebp({ width: 96, height: 72 }, lossy.subarray(12)));
  });

  it('keeps the first image of an animation', async () => {
    const essence = await essenceOf(animation);
    assert.equal(essence.indexOf('ANMF'), essence.lastIndexOf('ANMF'));
    const image = await decodeImage(animation, { maxPixels });
    assert.deepEqual([...image.data.subarray(0, 3)], [0xcc, 0, 0]);
  });

  it('refuses an image whose size differs from the header', () => {
    const expected = { name: 'ImageError', message: /differs in size from the file/ };
    for (const webp of [lossy, lossless]) {
      const image = webp.subarray(12);
      assert.throws(() => readWebp(extendedWebp({ width: 95, height: 72 }, image)), expected);
      assert.throws(() => readWebp(extendedWebp({ width: 96, height: 16_384 }, image)), expected);
    }
  });

  it('refuses files without a complete header or image, and files of too many chunks', () => {
    const empty = webpFile(webpChunk('VP8X', Buffer.alloc(3)), lossy.subarray(12));
    for (const webp of [webpFile(), webpFile(exif), empty, lossy.subarray(0, 22), lossless.subarray(0, 24)]) {
      assert.throws(() => readWebp(webp), { name: 'ImageError' });
    }
    const many = Array.from({ length: 5000 }, () => webpChunk('junk', new Uint8Array(0)));
    const crowded = extendedWebp({ width: 96, height: 72 }, ...many, lossy.subarray(12));
    assert.throws(() => readWebp(crowded), { message: /too many parts/ });
  });

  it('needs only the headers to read the size', () => {
    const lossyHead = lossy.subarray(20, 30);
    const losslessHead = lossless.subarray(20, 25);
    for (const [type, head] of [
      ['VP8 ', lossyHead],
      ['VP8L', losslessHead],
    ] as const) {
      assert.equal(readWebp(webpFile(webpChunk(type, head))).height, 72, type);
      assert.throws(() => readWebp(webpFile(webpChunk(type, head.subarray(0, -1)))), { name: 'ImageError' });
    }
    const canvas = extendedWebp({ width: 96, height: 72 }).subarray(20, 30);
    for (const length of [9, 10]) {
      const webp = webpFile(webpChunk('VP8X', canvas.subarray(0, length)), lossy.subarray(12));
      if (length === 10) assert.equal(readWebp(webp).width, 96);
      else assert.throws(() => readWebp(webp), { name: 'ImageError', message: /header/ });
    }
  });

  it('reads a last chunk that has no padding', async () => {
    const odd = [...Array(40).keys()].map((side) =>
      sharp(tower)
        .resize(30 + side, 30)
        .webp({ lossless: true })
        .toBuffer(),
    );
    let cut = 0;
    for (const webp of await Promise.all(odd)) {
      if (webp.readUInt32LE(16) % 2 === 0) continue;
      cut += 1;
      const bare = webp.subarray(0, -1);
      bare.writeUInt32LE(bare.length - 8, 4);
      const image = await decodeImage(bare, { maxPixels });
      const whole = await decodeImage(webp, { maxPixels });
      assert.equal(meanDifference(image, whole), 0);
    }
    assert.ok(cut > 0);
  });
});
