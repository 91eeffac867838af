import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readWebp } from '../../src/image/webp.js';
import { exifBlock, webpChunk, webpFile } from './files.js';

/** Returns the header of a lossy image; the two scaling bits are not part of the size. */
function lossy(width: number, height: number, scaling = 0): Buffer {
  const content = Buffer.alloc(11, 0xee);
  content.writeUInt16LE(width | (scaling << 14), 6);
  content.writeUInt16LE(height | (scaling << 14), 8);
  return webpChunk('VP8 ', content);
}

/** Returns the header of a lossless image, with its transparency and version bits. */
function lossless(width: number, height: number, more = 0): Buffer {
  const content = Buffer.alloc(6, 0x2f);
  content.writeUInt32LE(((width - 1) | ((height - 1) << 14) | (more << 28)) >>> 0, 1);
  return webpChunk('VP8L', content);
}

/** Returns the extended header; its reserved bytes may have any value. */
function canvas(width: number, height: number, flags = 0): Buffer {
  const content = Buffer.alloc(10, 0xab);
  content.writeUInt8(flags, 0);
  content.writeUIntLE(width - 1, 4, 3);
  content.writeUIntLE(height - 1, 7, 3);
  return webpChunk('VP8X', content);
}

// An empty profile, which counts as different from sRGB, and an invalid one.
const profile = Buffer.alloc(133);
profile.write('acsp', 36, 'latin1');
const coloured = webpChunk('ICCP', profile);
const plain = webpChunk('ICCP', Buffer.from('none'));
const exif = (orientation: number): Buffer => webpChunk('EXIF', exifBlock(orientation, { prefix: false }));
const sizeOf = (...chunks: readonly Buffer[]): string => {
  const { width, height } = readWebp(webpFile(...chunks));
  return `${width}x${height}`;
};
const essenceOf = async (...chunks: readonly Buffer[]): Promise<Buffer> => {
  const { file, deepProfile } = await readWebp(webpFile(...chunks)).essence();
  assert.equal(deepProfile, false);
  return Buffer.from(file);
};

describe('the size of a WebP', () => {
  it('is the size of its image', () => {
    for (const [width, height] of [
      [1, 1],
      [1, 16_383],
      [16_383, 1],
      [0x1234, 0x2345],
    ] as const) {
      for (const more of [0, 1, 2, 3]) {
        assert.equal(sizeOf(lossy(width, height, more)), `${width}x${height}`);
        assert.equal(sizeOf(lossless(width, height, more)), `${width}x${height}`);
      }
    }
    assert.equal(sizeOf(lossless(16_384, 16_384, 15)), '16384x16384');
  });

  it('is the size in its extended header, which the image must fill, except in an animation', () => {
    assert.equal(
      sizeOf(canvas(0x12_3456, 0x65_4321), webpChunk('ANMF', Buffer.alloc(20))),
      '1193046x6636321',
    );
    assert.equal(sizeOf(canvas(30, 20), lossy(30, 20)), '30x20');
    for (const [width, height] of [
      [29, 20],
      [31, 20],
      [30, 19],
      [30, 21],
    ] as const) {
      for (const image of [lossy(width, height), lossless(width, height)]) {
        assert.throws(() => readWebp(webpFile(canvas(30, 20), image)), {
          name: 'ImageError',
          message: 'the image of the WebP differs in size from the file',
        });
      }
    }
  });

  it('needs complete headers and an image', () => {
    const cut = (type: string, length: number): Buffer => webpChunk(type, Buffer.alloc(length));
    for (const [chunks, message] of [
      [[cut('VP8 ', 9)], 'the image of the WebP is cut short'],
      [[cut('VP8L', 4)], 'the image of the WebP is cut short'],
      [[cut('VP8X', 9), lossy(1, 1)], 'the header of the WebP is damaged'],
      [[canvas(1, 1)], 'the WebP has no image: it is cut short or damaged'],
      [[exif(1), lossy(1, 1)], 'the WebP has no image: it is cut short or damaged'],
      [[], 'the WebP has no image: it is cut short or damaged'],
    ] as const) {
      assert.throws(() => readWebp(webpFile(...chunks)), { name: 'ImageError', message });
    }
    assert.equal(sizeOf(cut('VP8 ', 10)), '0x0');
    assert.equal(sizeOf(cut('VP8L', 5)), '1x1');
  });
});

describe('the chunks of a WebP', () => {
  it('contain the orientation; the first one counts', () => {
    const { orientation } = readWebp(webpFile(canvas(3, 2), lossy(3, 2), exif(6), exif(3)));
    assert.equal(orientation, 6);
    assert.equal(readWebp(webpFile(canvas(3, 2), lossy(3, 2))).orientation, 1);
    assert.equal(readWebp(webpFile(lossy(3, 2), exif(6))).orientation, 1, 'without the extended header');
  });

  it('are kept if the picture needs them, in the order of the format', async () => {
    const [image, alpha, loop] = [
      lossy(3, 2),
      webpChunk('ALPH', Buffer.from('abc')),
      webpChunk('ANIM', Buffer.alloc(6)),
    ];
    const other = webpChunk('what', Buffer.from('x'));
    assert.deepEqual(await essenceOf(image, other), webpFile(image));
    assert.deepEqual(
      await essenceOf(canvas(3, 2, 0xff), other, alpha, loop, coloured, image, exif(6), lossless(3, 2)),
      webpFile(canvas(3, 2, 0xff & ~0x0c), coloured, loop, alpha, image),
    );
    assert.deepEqual(
      await essenceOf(canvas(3, 2, 0xff), plain, image),
      webpFile(canvas(3, 2, 0xff & ~0x2c), image),
    );
    assert.deepEqual(await essenceOf(canvas(3, 2, 0x3c), image), webpFile(canvas(3, 2, 0x10), image));
    const frames = [1, 2].map((value) => webpChunk('ANMF', Buffer.alloc(21, value)));
    assert.deepEqual(
      await essenceOf(canvas(3, 2, 2), loop, ...frames),
      webpFile(canvas(3, 2, 2), loop, frames[0] ?? Buffer.alloc(0)),
    );
  });

  it('are padded, including the last', async () => {
    for (const length of [10, 11, 12, 13]) {
      const image = webpChunk('VP8 ', Buffer.alloc(length, 1));
      const whole = webpFile(image);
      assert.deepEqual(await essenceOf(image), whole, `${length}`);
      const { file } = await readWebp(whole.subarray(0, 20 + length)).essence();
      assert.deepEqual(Buffer.from(file), whole, `${length}, without padding`);
      const behind = readWebp(webpFile(canvas(257, 257), webpChunk('odd ', Buffer.alloc(length)), image));
      assert.equal(behind.width, 257);
    }
  });

  it('end where no further chunk fits, even an empty one', () => {
    const head = webpFile(canvas(3, 2), lossy(3, 2));
    for (let length = 0; length < 8; length++) {
      const cut = Buffer.concat([head, exif(6).subarray(0, length)]);
      assert.equal(readWebp(cut).orientation, 1, `${length}`);
    }
    const flat = Buffer.concat([webpFile(canvas(1, 1)), Buffer.from('VP8L\0\0\0\0', 'latin1')]);
    assert.throws(() => readWebp(flat), { message: 'the image of the WebP is cut short' });
  });
});
