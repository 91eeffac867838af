import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { fitImage } from '../../src/image/fit.js';
import { type Fit, ImageError } from '../../src/image/image.js';
import { meanDifference, tower } from './pictures.js';
import { cases } from '../support/properties.js';

const maxPixels = 2048 * 2048;
const fits = ['cover', 'contain', 'stretch'] as const satisfies readonly Fit[];

describe('decodeImage with a box', () => {
  it('returns the same as decoding the whole image and then fitting it', async () => {
    const photo = sharp(tower).resize(1403, 1051, { fit: 'fill' });
    const files = {
      jpeg: await photo.clone().jpeg({ quality: 95 }).toBuffer(),
      progressive: await photo.clone().jpeg({ quality: 95, progressive: true }).toBuffer(),
      grey: await photo.clone().greyscale().jpeg({ quality: 95 }).toBuffer(),
      cmyk: await photo.clone().toColourspace('cmyk').jpeg({ quality: 95 }).toBuffer(),
      png: await photo.clone().png({ compressionLevel: 1 }).toBuffer(),
      webp: await photo.clone().webp({ quality: 95 }).toBuffer(),
      lossless: await photo.clone().webp({ lossless: true, effort: 0 }).toBuffer(),
    };
    for (const [name, file] of Object.entries(files)) {
      const whole = await decodeImage(file, { maxPixels });
      for (const fit of fits) {
        for (const [width, height] of [
          [512, 512],
          [300, 200],
          [96, 256],
          [64, 64],
        ] as const) {
          const image = await decodeImage(file, { maxPixels, box: { width, height, fit } });
          assert.deepEqual([image.width, image.height], [width, height]);
          const difference = meanDifference(image, await fitImage(whole, { width, height }, fit));
          assert.ok(difference < 3, `${name}, ${fit} ${width}x${height}: ${difference}`);
        }
      }
    }
  });

  it('does not decode all pixels of a JPEG that will become much smaller', async () => {
    const asked: number[] = [];
    const allocate = (bytes: number) => {
      asked.push(bytes);
      return new Uint8Array(bytes);
    };
    const large = await sharp(tower).resize(2048, 2048).jpeg().toBuffer();
    await decodeImage(large, { maxPixels, allocate, box: { width: 512, height: 512, fit: 'cover' } });
    assert.deepEqual(asked, [512 * 512 * 3]);
  });

  it('decodes all pixels of a JPEG that shrinks less than four times along the decisive side', async () => {
    const jpeg = await sharp(tower).resize(400, 200).jpeg().toBuffer();
    const all = 400 * 200 * 3;
    for (const [width, height, fit, whole] of [
      [100, 50, 'cover', false],
      [101, 51, 'cover', true],
      [100, 100, 'cover', true],
      [100, 100, 'stretch', true],
      [100, 100, 'contain', false],
      [101, 60, 'contain', true],
      [200, 50, 'cover', true],
      [200, 50, 'contain', false],
      [50, 26, 'stretch', false],
    ] as const) {
      const asked: number[] = [];
      const allocate = (bytes: number) => {
        asked.push(bytes);
        return new Uint8Array(bytes);
      };
      await decodeImage(jpeg, { maxPixels, allocate, box: { width, height, fit } });
      const small = width * height * 3;
      assert.deepEqual(asked, whole ? [all, small] : [small], `${fit} ${width}x${height}`);
    }
  });

  it('returns a picture of the right size or an ImageError for any shape, colours and depth', async () => {
    const side = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 900 }));
    const wanted = fc.integer({ min: 1, max: 256 }).map((eighth) => eighth * 8);
    const pictures = fc.record({
      width: side,
      height: side,
      channels: fc.constantFrom(1, 2, 3, 4),
      deep: fc.boolean(),
      cmyk: fc.boolean(),
      palette: fc.boolean(),
      format: fc.constantFrom('jpeg', 'png', 'webp'),
      progressive: fc.boolean(),
      orientation: fc.integer({ min: 1, max: 8 }),
      box: fc.record({ width: wanted, height: wanted, fit: fc.constantFrom(...fits) }),
    });
    await fc.assert(
      fc.asyncProperty(pictures, async ({ box, ...picture }) => {
        const file = await paint(picture);
        const thin = Math.max(picture.width, picture.height) > 64 * Math.min(picture.width, picture.height);
        const decoded = decodeImage(file, { maxPixels, box });
        if (thin) return assert.rejects(decoded, ImageError);
        const image = await decoded;
        assert.deepEqual([image.width, image.height], [box.width, box.height]);
        assert.ok(image.data.length >= box.width * box.height * 3);
        const whole = await decodeImage(file, { maxPixels });
        assert.equal(whole.width * whole.height, picture.width * picture.height);
      }),
      { numRuns: cases(150) },
    );
  });
});

describe('fitImage', () => {
  it('returns a picture of the right size or an ImageError for the thinnest pictures', async () => {
    const thin = [1, 2, 3, 1000, 65_536, 1 << 20, 1 << 24];
    for (const length of thin) {
      for (const [width, height] of [
        [length, 1],
        [1, length],
      ] as const) {
        const image = { width, height, data: new Uint8Array(length * 3) };
        for (const fit of fits) {
          for (const box of [
            { width: 8, height: 8 },
            { width: 2048, height: 64 },
            { width: 64, height: 2048 },
          ]) {
            const fitted = await fitImage(image, box, fit).catch((error: unknown) => {
              if (error instanceof ImageError) return null;
              throw error;
            });
            if (!fitted) continue;
            assert.deepEqual([fitted.width, fitted.height], [box.width, box.height]);
          }
        }
      }
    }
  });
});

interface Painting {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  readonly deep: boolean;
  readonly cmyk: boolean;
  readonly palette: boolean;
  readonly format: string;
  readonly progressive: boolean;
  readonly orientation: number;
}

/** Returns a file of noise. */
async function paint(painting: Painting): Promise<Buffer> {
  const { width, height, deep, cmyk, palette, format, progressive, orientation } = painting;
  const channels = painting.channels as 1 | 2 | 3 | 4;
  const noise = new Uint8Array(width * height * channels);
  for (let index = 0; index < noise.length; index++) noise[index] = (index * 2_654_435_761) >>> 24;
  const pixels = sharp(noise, { raw: { width, height, channels } }).withMetadata({ orientation });
  switch (format) {
    case 'jpeg':
      return (cmyk ? pixels.toColourspace('cmyk') : pixels).jpeg({ progressive }).toBuffer();
    case 'webp':
      return pixels.webp({ lossless: palette }).toBuffer();
    default:
      if (deep) pixels.toColourspace(channels > 2 ? 'rgb16' : 'grey16');
      return pixels.png({ palette: palette && !deep, progressive }).toBuffer();
  }
}
