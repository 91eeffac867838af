import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { crc32, deflateSync } from 'node:zlib';
import fc from 'fast-check';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { ImageError } from '../../src/image/image.js';
import { pngChunk, pngFile } from './files.js';
import { meanColour, meanDifference, tower } from './pictures.js';
import { cases } from '../support/properties.js';

const maxPixels = 4096 * 4096;
const photo = await decodeImage(tower, { maxPixels });

/** Returns the photo with another size in its frame header. */
function claimSize(width: number, height: number): Buffer {
  const jpeg = Buffer.from(tower);
  const header = jpeg.indexOf(Buffer.from([0xff, 0xc0, 0x00, 0x11]));
  jpeg.writeUInt16BE(height, header + 5);
  jpeg.writeUInt16BE(width, header + 7);
  return jpeg;
}

describe('decodeImage', () => {
  it('decodes a JPEG as another decoder does', async () => {
    assert.deepEqual([photo.width, photo.height], [512, 384]);
    const data = new Uint8Array(await sharp(tower).raw().toBuffer());
    assert.ok(meanDifference(photo, { ...photo, data }) < 1.5);
  });

  it('decodes PNG exactly and WebP closely', async () => {
    const source = sharp(photo.data, { raw: { width: 512, height: 384, channels: 3 } });
    const png = await decodeImage(await source.clone().png().toBuffer(), { maxPixels });
    assert.equal(meanDifference(png, photo), 0);
    const webp = await decodeImage(await source.clone().webp({ quality: 95 }).toBuffer(), { maxPixels });
    assert.ok(meanDifference(webp, photo) < 4);
  });

  it('returns RGB for grey, CMYK, 16-bit, palette and transparent pictures', async () => {
    const grey = await sharp(tower).greyscale().toColourspace('b-w').jpeg().toBuffer();
    const [r, g, b] = meanColour(await decodeImage(grey, { maxPixels }));
    assert.ok(r === g && g === b);

    const cmyk = await sharp(tower).toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer();
    assert.ok(meanDifference(await decodeImage(cmyk, { maxPixels }), photo) < 30);

    const deep = await sharp(tower).toColourspace('rgb16').png().toBuffer();
    assert.ok(meanDifference(await decodeImage(deep, { maxPixels }), photo) < 1.5);

    const palette = await sharp(tower).png({ palette: true }).toBuffer();
    assert.ok(meanDifference(await decodeImage(palette, { maxPixels }), photo) < 10);

    const clear = { r: 255, g: 0, b: 0, alpha: 0 };
    const png = await sharp({ create: { width: 5, height: 4, channels: 4, background: clear } })
      .png()
      .toBuffer();
    assert.deepEqual(meanColour(await decodeImage(png, { maxPixels })), [0, 0, 0]);
  });

  it('reports the size before it decodes, and stops if that is refused', async () => {
    const sizes: unknown[] = [];
    const box = { width: 64, height: 64, fit: 'cover' } as const;
    await decodeImage(tower, { maxPixels, box, onSize: ({ width, height }) => sizes.push([width, height]) });
    assert.deepEqual(sizes, [[512, 384]]);
    const refuse = (): never => {
      throw new ImageError('too many');
    };
    const allocate = (): never => assert.fail('it was decoded');
    await assert.rejects(decodeImage(tower, { maxPixels, onSize: refuse, allocate }), {
      message: 'too many',
    });
  });

  it('decodes progressive JPEG', async () => {
    const progressive = await sharp(tower).jpeg({ progressive: true, quality: 95 }).toBuffer();
    assert.ok(meanDifference(await decodeImage(progressive, { maxPixels }), photo) < 4);
  });

  it('uses the given memory, which may be longer', async () => {
    const memory = new Uint8Array(512 * 384 * 3 + 1000);
    const asked: number[] = [];
    const allocate = (bytes: number) => {
      asked.push(bytes);
      return memory;
    };
    const image = await decodeImage(tower, { maxPixels, allocate });
    assert.equal(image.data, memory);
    assert.deepEqual(asked, [512 * 384 * 3]);
    assert.equal(meanDifference(image, photo), 0);
  });

  it('reads a view into the middle of a larger buffer', async () => {
    const slab = new Uint8Array(tower.length + 100);
    slab.set(tower, 37);
    const image = await decodeImage(slab.subarray(37, 37 + tower.length), { maxPixels });
    assert.equal(meanDifference(image, photo), 0);
  });

  it('accepts stray bytes between segments, which webcams send', async () => {
    const scan = tower.indexOf(Buffer.from([0xff, 0xda]));
    const stray = Buffer.concat([tower.subarray(0, scan), Buffer.from([0, 1, 2]), tower.subarray(scan)]);
    assert.ok(meanDifference(await decodeImage(stray, { maxPixels }), photo) < 1.5);
  });

  it('refuses an image bomb by its header, before it allocates memory', async () => {
    const allocate = () => assert.fail('memory was taken');
    const expected = { name: 'ImageError', message: /too large: 30000x30000 pixels, the limit is 16777216$/ };
    await assert.rejects(decodeImage(claimSize(30000, 30000), { maxPixels, allocate }), expected);

    const png = await sharp(tower).png().toBuffer();
    png.writeUInt32BE(30000, 16);
    png.writeUInt32BE(30000, 20);
    png.writeUInt32BE(crc32(png.subarray(12, 29)), 29);
    await assert.rejects(decodeImage(png, { maxPixels, allocate }), expected);
  });

  it('reads the same frame header as the decoder, whatever comes before it', async () => {
    // The decoder sees a marker without a length, then the true header. A reader that takes that header's bytes for a
    // length finds another header in a comment. At 40000x35800, three bytes a pixel wrap around 32 bits.
    const header = tower.indexOf(Buffer.from([0xff, 0xc0, 0x00, 0x11]));
    const truth = Buffer.from(claimSize(40_000, 35_800).subarray(header, header + 19));
    const lie = claimSize(4096, 4096).subarray(header, header + 19);
    const tables = tower.subarray(2, header);
    for (const marker of [0x01, 0x00, 0xd0, 0xd7]) {
      const before = Buffer.concat([Buffer.from([0xff, 0xd8, 0xff, marker]), truth, tables]);
      const comment = Buffer.alloc(4 + 0xffc0 - before.length + lie.length);
      comment.writeUInt32BE(0xfffe_0000 + comment.length - 2);
      comment.set(lie, comment.length - lie.length);
      const jpeg = Buffer.concat([before, comment, tower.subarray(header + 19)]);
      await assert.rejects(decodeImage(jpeg, { maxPixels }), {
        name: 'ImageError',
        message: /no frame header/,
      });
    }
  });

  it('refuses pictures with one side more than 64 times the other', async () => {
    const allocate = () => assert.fail('memory was taken');
    for (const [width, height] of [
      [16_777_216, 1],
      [1, 16_777_216],
      [6401, 100],
    ] as const) {
      const png = pngFile({ width, height }, pngChunk('IDAT', deflateSync(Buffer.alloc(1000))));
      const expected = { name: 'ImageError', message: /too thin: \d+x\d+ pixels/ };
      await assert.rejects(decodeImage(png, { maxPixels, allocate }), expected);
    }
    const thin = await sharp(tower).resize(6400, 100, { fit: 'fill' }).png().toBuffer();
    assert.equal((await decodeImage(thin, { maxPixels })).width, 6400);
  });

  it('refuses empty, truncated and non-image data with a one-line message', async () => {
    const png = await sharp(tower).resize(64).png().toBuffer();
    const webp = await sharp(tower).resize(64).webp().toBuffer();
    const bad = {
      nothing: new Uint8Array(0),
      text: Buffer.from('GIF89a is not read'),
      'empty by header': claimSize(0, 384),
      'half a JPEG': tower.subarray(0, tower.length / 2),
      'a JPEG header': tower.subarray(0, 100),
      'half a PNG': png.subarray(0, png.length / 2),
      'half a WebP': webp.subarray(0, webp.length / 2),
    };
    for (const [name, bytes] of Object.entries(bad)) {
      await assert.rejects(decodeImage(bytes, { maxPixels }), (error) => {
        assert.ok(error instanceof ImageError, name);
        assert.doesNotMatch(error.message, /\n/, name);
        return true;
      });
    }
  });

  it('names the size and the limit in its errors', async () => {
    const says = (width: number, height: number, most = maxPixels): Promise<string> =>
      decodeImage(pngFile({ width, height }), { maxPixels: most }).then(
        () => 'nothing',
        (error: unknown) => (error instanceof ImageError ? error.message : String(error)),
      );
    assert.equal(await says(0, 5), 'the image is empty: 0x5 pixels');
    assert.equal(await says(5, 0), 'the image is empty: 5x0 pixels');
    assert.equal(await says(10, 20, 199), 'the image is too large: 10x20 pixels, the limit is 199');
    const thin = (size: string): string =>
      `the image is too thin: ${size} pixels, one side is more than 64 times the other`;
    assert.equal(await says(129, 2), thin('129x2'));
    assert.equal(await says(2, 129), thin('2x129'));
    for (const [width, height] of [
      [128, 2],
      [2, 128],
      [1, 1],
      [10, 20],
    ] as const) {
      assert.match(await says(width, height, 256), /^the PNG image cannot be decoded: /);
    }
    await assert.rejects(decodeImage(Buffer.from('GIF89a'), { maxPixels }), {
      message: 'the data is not a JPEG, PNG or WebP image',
    });
  });

  it('returns a picture or throws an ImageError for any bytes', async () => {
    const tiny = sharp(tower).resize(48).withMetadata({ orientation: 6 });
    const files = [
      Buffer.from(await encodeJpeg(photo, 30)),
      await tiny.clone().jpeg({ progressive: true }).toBuffer(),
      await tiny.clone().withIccProfile('p3').jpeg().toBuffer(),
      await tiny.clone().toColourspace('cmyk').jpeg().toBuffer(),
      await tiny.clone().png().toBuffer(),
      await tiny.clone().withIccProfile('p3').toColourspace('rgb16').png({ progressive: true }).toBuffer(),
      await tiny.clone().webp().toBuffer(),
      await tiny.clone().ensureAlpha(0.5).withIccProfile('p3').webp({ lossless: true }).toBuffer(),
    ];
    const damaged = fc
      .record({
        file: fc.constantFrom(...files),
        keep: fc.double({ min: 0, max: 1, noNaN: true }),
        changes: fc.array(fc.tuple(fc.nat(2000), fc.nat(255)), { maxLength: 8 }),
      })
      .map(({ file, keep, changes }) => {
        const bytes = Buffer.from(file.subarray(0, Math.ceil(file.length * keep)));
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
        return bytes;
      });
    await fc.assert(
      fc.asyncProperty(fc.oneof(damaged, fc.uint8Array({ maxLength: 64 })), async (bytes) => {
        const box = { width: 24, height: 40, fit: 'cover' } as const;
        for (const options of [{}, { box }]) {
          const image = await decodeImage(bytes, { maxPixels: 1 << 20, ...options }).catch(
            (error: unknown) => {
              if (error instanceof ImageError) return null;
              throw error;
            },
          );
          assert.ok(image === null || image.data.length >= image.width * image.height * 3);
        }
      }),
      { numRuns: cases(300) },
    );
  });
});
