import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { exifOrientation } from '../../src/image/exif.js';
import { fitImage } from '../../src/image/fit.js';
import type { Fit, Image } from '../../src/image/image.js';
import { exifBlock, extendedWebp, jpegSegment, pngChunk, withPngChunks, withSegments } from './files.js';
import { meanDifference, tower } from './pictures.js';

const maxPixels = 1 << 20;
const orientations = [1, 2, 3, 4, 5, 6, 7, 8] as const;
const stored = sharp(tower).resize(200, 120);
const [jpeg, png, webp] = await Promise.all([
  stored.clone().jpeg({ quality: 95 }).toBuffer(),
  stored.clone().png().toBuffer(),
  stored.clone().webp({ lossless: true }).toBuffer(),
]);

/** Returns the picture upright, by another implementation. */
async function shown(orientation: number, picture = png): Promise<Image> {
  const tagged = await sharp(picture).withMetadata({ orientation }).png().toBuffer();
  const { data, info } = await sharp(tagged).autoOrient().raw().toBuffer({ resolveWithObject: true });
  return { width: info.width, height: info.height, data: new Uint8Array(data) };
}

const files: Readonly<Record<string, (orientation: number) => Buffer>> = {
  JPEG: (orientation) => withSegments(jpeg, jpegSegment(0xe1, exifBlock(orientation))),
  'JPEG, little-endian, after XMP': (orientation) =>
    withSegments(
      jpeg,
      jpegSegment(0xe1, Buffer.from('http://ns.adobe.com/xap/1.0/\0')),
      jpegSegment(0xe1, exifBlock(orientation, { little: true })),
    ),
  PNG: (orientation) => withPngChunks(png, [pngChunk('eXIf', exifBlock(orientation, { prefix: false }))]),
  'PNG, after the pixels': (orientation) =>
    withPngChunks(png, [pngChunk('eXIf', exifBlock(orientation))], true),
  WebP: (orientation) =>
    extendedWebp({ width: 200, height: 120, flags: 8 }, webp.subarray(12), webpExif(orientation)),
};

function webpExif(orientation: number): Buffer {
  const head = Buffer.from('EXIF\x1a\0\0\0', 'latin1');
  return Buffer.concat([head, exifBlock(orientation, { prefix: false })]);
}

describe('decodeImage', () => {
  for (const [name, file] of Object.entries(files)) {
    it(`turns a picture upright by its EXIF orientation: ${name}`, async () => {
      for (const orientation of orientations) {
        const [image, wanted] = await Promise.all([
          decodeImage(file(orientation), { maxPixels }),
          shown(orientation),
        ]);
        assert.deepEqual([image.width, image.height], [wanted.width, wanted.height], `${orientation}`);
        assert.ok(meanDifference(image, wanted) < 3, `orientation ${orientation}`);
      }
    });
  }

  it('fits the upright picture, also if it is decoded at a smaller size', async () => {
    const large = await sharp(tower).resize(1000, 600).jpeg({ quality: 95 }).toBuffer();
    for (const orientation of orientations) {
      const small = files['PNG']?.(orientation) ?? Buffer.alloc(0);
      const turned = withSegments(large, jpegSegment(0xe1, exifBlock(orientation)));
      for (const fit of ['cover', 'contain', 'stretch'] as const satisfies readonly Fit[]) {
        const box = { width: 97, height: 128, fit };
        for (const [bytes, original] of [
          [small, png],
          [turned, large],
        ] as const) {
          const image = await decodeImage(bytes, { maxPixels, box });
          const wanted = await fitImage(await shown(orientation, original), box, fit);
          assert.deepEqual([image.width, image.height], [97, 128]);
          const difference = meanDifference(image, wanted);
          assert.ok(difference < 2, `${fit}, orientation ${orientation}: ${difference}`);
        }
      }
    }
  });

  it('turns a picture into the given memory', async () => {
    const memory = new Uint8Array(200 * 120 * 3);
    const asked: number[] = [];
    const allocate = (bytes: number) => {
      asked.push(bytes);
      return memory;
    };
    const image = await decodeImage(files['JPEG']?.(6) ?? Buffer.alloc(0), { maxPixels, allocate });
    assert.deepEqual([image.data, asked], [memory, [memory.length]]);
  });
});

describe('exifOrientation', () => {
  it('returns 1 (upright) if the metadata is invalid', () => {
    const good = exifBlock(6);
    assert.equal(exifOrientation(good), 6);
    for (const orientation of [0, 9, 65_535]) assert.equal(exifOrientation(exifBlock(orientation)), 1);
    for (let length = 0; length < good.length - 4; length++) {
      assert.equal(exifOrientation(good.subarray(0, length)), 1, `cut to ${length}`);
    }
    const damaged: readonly (readonly [at: number, value: number])[] = [
      [6, 0x58],
      [9, 43],
      [10, 255],
      [13, 200],
      [17, 0x13],
      [19, 4],
    ];
    for (const [at, value] of damaged) {
      const block = Buffer.from(good);
      block[at] = value;
      assert.equal(exifOrientation(block), 1, `byte ${at}`);
    }
  });

  it('searches a directory up to its end, and not beyond', () => {
    const block = Buffer.from(exifBlock(3));
    block.writeUInt16BE(0xffff, 14);
    assert.equal(exifOrientation(block), 3);
  });
});
