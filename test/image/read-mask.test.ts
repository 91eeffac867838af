import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import sharp from 'sharp';
import { decodeImage } from '../../src/image/decode.js';
import { ImageError } from '../../src/image/image.js';
import type { Mask } from '../../src/image/mask.js';
import { readMask } from '../../src/image/read-mask.js';

const allocate = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(bytes);

function read(
  bytes: Uint8Array,
  box?: { width: number; height: number; fit: 'contain' | 'stretch' },
): Promise<Mask> {
  return readMask({ decode: decodeImage }, bytes, { maxPixels: 100, ...(box && { box }) }, allocate);
}

type Pixel = readonly [red: number, green: number, blue: number, alpha: number];

/** Returns a row of pixels as a file. */
function fileOf(pixels: readonly Pixel[], format: 'png' | 'webp' = 'png'): Promise<Buffer> {
  const raw = { width: pixels.length, height: 1, channels: 4 } as const;
  const picture = sharp(Uint8Array.from(pixels.flat()), { raw });
  return format === 'png'
    ? picture.png().toBuffer()
    : picture.webp({ lossless: true, exact: true }).toBuffer();
}

describe('a picture as a mask', () => {
  it('is its brightness', async () => {
    const grey = await fileOf([0, 1, 128, 254, 255].map((level) => [level, level, level, 255]));
    const mask = await read(grey);
    assert.deepEqual([mask.width, mask.height], [5, 1]);
    assert.deepEqual([...mask.data], [0, 1, 128, 254, 255]);
    const colours = await read(
      await fileOf([
        [255, 0, 0, 255],
        [0, 255, 0, 255],
        [0, 0, 255, 255],
      ]),
    );
    assert.deepEqual([...colours.data], [76, 149, 28]);
  });

  it('is 0 where it is transparent', async () => {
    const white = await fileOf([
      [255, 255, 255, 255],
      [255, 255, 255, 0],
      [255, 255, 255, 102],
    ]);
    assert.deepEqual([...(await read(white)).data], [255, 0, 102]);
  });

  for (const format of ['png', 'webp'] as const) {
    it(`that was drawn with a black brush is its opacity (${format})`, async () => {
      const black = await fileOf(
        [
          [0, 0, 0, 255],
          [0, 0, 0, 0],
          [0, 0, 0, 102],
        ],
        format,
      );
      assert.deepEqual([...(await read(black)).data], [255, 0, 102]);
    });
  }

  it('that is black without transparency, or empty, is 0 everywhere', async () => {
    for (const alpha of [0, 255]) {
      const mask = await read(await fileOf([0, 1, 2].map(() => [0, 0, 0, alpha])));
      assert.deepEqual([...mask.data], [0, 0, 0]);
    }
    const jpeg = await sharp({ create: { width: 8, height: 8, channels: 3, background: '#000' } })
      .jpeg()
      .toBuffer();
    assert.ok((await read(jpeg)).data.every((share) => share === 0));
  });

  it('is fitted as the frame is, and nothing changes in the bars', async () => {
    const size = { width: 4, height: 2 };
    for (const pixel of [
      [255, 255, 255, 255],
      [0, 0, 0, 254],
    ] as const) {
      const square = await sharp(Uint8Array.from([...pixel, ...pixel, ...pixel, ...pixel]), {
        raw: { width: 2, height: 2, channels: 4 },
      })
        .png()
        .toBuffer();
      const full = pixel[0] === 255 ? 255 : 254;
      const contained = await read(square, { ...size, fit: 'contain' });
      assert.deepEqual([...contained.data], [0, full, full, 0, 0, full, full, 0]);
      const stretched = await read(square, { ...size, fit: 'stretch' });
      assert.deepEqual([...stretched.data], Array(8).fill(full));
    }
  });

  it('that is black without transparency is 0 in the middle of bars too', async () => {
    const size = { width: 16, height: 8, fit: 'contain' } as const;
    const black = sharp({ create: { width: 8, height: 8, channels: 3, background: '#000' } });
    for (const file of [await black.png().toBuffer(), await black.jpeg().toBuffer()]) {
      assert.deepEqual(new Set((await read(file, size)).data), new Set([0]));
    }
  });

  it('of 16 bits is read as one of 8', async () => {
    const raw = { width: 2, height: 1, channels: 4 } as const;
    const pixels = Uint16Array.of(0, 0, 0, 0xffff, 0, 0, 0, 0x6666);
    const deep = await sharp(pixels, { raw }).toColourspace('rgb16').png().toBuffer();
    assert.deepEqual([...(await read(deep)).data], [255, 102]);
  });

  it('has the limits of all pictures', async () => {
    const large = await fileOf(Array.from({ length: 101 }, () => [0, 0, 0, 0] as const));
    await assert.rejects(read(large), ImageError);
    await assert.rejects(read(Buffer.from('no picture')), ImageError);
  });
});
