import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeImage } from '../../../src/image/decode.js';
import type { Image } from '../../../src/image/image.js';
import {
  isPreprocessorName,
  preprocess as tryToPreprocess,
  preprocessorNames,
  preprocessors,
} from '../../../src/image/preprocess/preprocessors.js';
import { tower } from '../pictures.js';
import { cases } from '../../support/properties.js';

const photo = await decodeImage(tower, { maxPixels: 1 << 20 });

/** Reads a picture of the golden data: 96x64 pixels of the photo, and what `cv2.Canny(picture, 100, 200)` makes of it. */
async function golden(name: string): Promise<Image> {
  const url = new URL(`../../../../test/fixtures/images/${name}`, import.meta.url);
  return decodeImage(readFileSync(url), { maxPixels: 96 * 64 });
}

/** The preprocessors for which the frame is enough. */
const fromFrame = preprocessorNames.filter((name) => preprocessors[name].prepare !== null);

/** Makes a picture with one of them. */
function preprocess(...[name, image, allocate]: Parameters<typeof tryToPreprocess>): Image {
  const made = tryToPreprocess(name, image, allocate);
  assert.ok(made);
  return made;
}

/** Returns a grey picture. */
function grey(width: number, height: number, valueAt: (x: number, y: number) => number): Image {
  const data = Uint8Array.from({ length: width * height * 3 }, (_, i) => {
    const pixel = Math.floor(i / 3);
    return valueAt(pixel % width, Math.floor(pixel / width));
  });
  return { width, height, data };
}

/** Returns the red values of a row. */
function rowOf({ width, data }: Image, y: number): number[] {
  return Array.from({ length: width }, (_, x) => data[(y * width + x) * 3]);
}

const anyImage: fc.Arbitrary<Image> = fc
  .tuple(fc.integer({ min: 1, max: 24 }), fc.integer({ min: 1, max: 24 }))
  .chain(([width, height]) =>
    fc
      .uint8Array({ minLength: width * height * 3, maxLength: width * height * 3 })
      .map((values) => ({ width, height, data: Uint8Array.from(values) })),
  );

describe('preprocessors', () => {
  it('are named as ControlNets are, and have a title for the page', () => {
    assert.deepEqual(preprocessorNames, ['canny', 'soft_edge', 'passthrough', 'feedback']);
    for (const name of preprocessorNames) assert.ok(preprocessors[name].title.length > 5);
    assert.deepEqual(
      ['canny', 'depth', 'toString', ''].map((name) => isPreprocessorName(name)),
      [true, false, false, false],
    );
  });

  for (const name of fromFrame) {
    it(`${name} makes a picture of the same size and leaves the frame unchanged, whatever it shows`, () => {
      fc.assert(
        fc.property(anyImage, (image) => {
          const before = image.data.slice();
          const { width, height, data } = preprocess(name, image);
          assert.deepEqual([width, height, data.length], [image.width, image.height, before.length]);
          assert.deepEqual(image.data, before);
          assert.notEqual(data.buffer, image.data.buffer);
        }),
        { numRuns: cases(60) },
      );
    });

    it(`${name} takes pictures of a single row, column or pixel, and of 8x8`, () => {
      for (const [width, height] of [
        [1, 1],
        [1, 9],
        [9, 1],
        [2, 1],
        [1, 2],
        [8, 8],
      ] as const) {
        const image = grey(width, height, (x, y) => (x + y) * 25);
        assert.equal(preprocess(name, image).data.length, width * height * 3);
      }
    });

    it(`${name} does the same in memory that was used before, and after a larger picture`, () => {
      const image = grey(13, 7, (x, y) => (x * y * 37) % 256);
      const wanted = preprocess(name, image).data.slice();
      preprocess(name, photo);
      const used = new Uint8Array(13 * 7 * 3 + 5).fill(99);
      const { data } = preprocess(name, image, () => used);
      assert.equal(data, used);
      assert.deepEqual(data.subarray(0, wanted.length), wanted);
      assert.deepEqual([...data.subarray(wanted.length)], [99, 99, 99, 99, 99]);
    });
  }
});

describe('passthrough', () => {
  it('copies the picture', () => {
    assert.deepEqual(preprocess('passthrough', photo).data, photo.data);
  });
});

describe('canny', () => {
  it('draws the lines that OpenCV draws, pixel by pixel', async () => {
    const [picture, lines] = [await golden('edges.png'), await golden('edges-canny.png')];
    const drawn = preprocess('canny', picture);
    assert.deepEqual(drawn.data, lines.data);
    const white = lines.data.reduce((sum, value) => sum + (value === 255 ? 1 : 0), 0) / 3;
    assert.ok(white > 500 && white < 3000, `the golden picture has ${white} white pixels`);
  });

  it('draws black and white only', () => {
    const levels = new Set(preprocess('canny', photo).data);
    assert.deepEqual(levels, new Set([0, 255]));
  });

  it('draws a single line at a step, in each direction', () => {
    const right = preprocess(
      'canny',
      grey(12, 8, (x) => (x < 6 ? 20 : 220)),
    );
    for (let y = 0; y < 8; y++) {
      assert.deepEqual(rowOf(right, y), [0, 0, 0, 0, 0, 255, 0, 0, 0, 0, 0, 0], `row ${y}`);
    }
    const down = preprocess(
      'canny',
      grey(8, 12, (_, y) => (y < 6 ? 20 : 220)),
    );
    for (let y = 0; y < 12; y++) assert.deepEqual(rowOf(down, y), Array(8).fill(y === 5 ? 255 : 0));
    for (const slope of [1, -1]) {
      const image = preprocess(
        'canny',
        grey(16, 16, (x, y) => (slope * (x - 7.5) > y - 7.5 ? 20 : 220)),
      );
      for (let y = 3; y < 13; y++) {
        const count = rowOf(image, y).filter((value) => value === 255).length;
        assert.ok(count >= 1 && count <= 2, `slope ${slope}, row ${y}: ${count}`);
      }
    }
  });

  it('draws nothing where the picture is flat or changes slowly', () => {
    for (const image of [grey(16, 16, () => 200), grey(64, 16, (x) => 3 * x)]) {
      assert.ok(preprocess('canny', image).data.every((value) => value === 0));
    }
  });

  it('sees edges between colours of equal brightness', () => {
    const image = grey(12, 8, () => 0);
    for (let i = 0; i < 12 * 8; i++) image.data[i * 3 + (i % 12 < 6 ? 0 : 2)] = 120;
    assert.equal(rowOf(preprocess('canny', image), 4)[5], 255);
  });

  it('continues a strong edge along a weak one, and leaves out weak edges that touch none', () => {
    // The step is of 60 levels at the top and of 35 below: gradients of 240 and 140.
    const joined = preprocess(
      'canny',
      grey(12, 40, (x, y) => [50, y < 8 ? 110 : 85][Number(x >= 6)]),
    );
    assert.equal(rowOf(joined, 30)[5], 255);
    const alone = preprocess(
      'canny',
      grey(12, 40, (x) => (x < 6 ? 50 : 85)),
    );
    assert.ok(alone.data.every((value) => value === 0));
  });
});

describe('soft_edge', () => {
  it('is white at the strongest edge and in proportion elsewhere', () => {
    const image = grey(24, 8, (x) => [0, 100, 140][Math.floor(x / 8)]);
    const row = rowOf(preprocess('soft_edge', image), 3);
    assert.deepEqual([row[7], row[8], row[15], row[16]], [255, 255, 102, 102]);
    assert.deepEqual([row[3], row[12], row[20]], [0, 0, 0]);
  });

  it('is black where the picture is flat, and dark if nothing in it changes much', () => {
    assert.ok(
      preprocess(
        'soft_edge',
        grey(16, 16, () => 90),
      ).data.every((value) => value === 0),
    );
    const noisy = preprocess(
      'soft_edge',
      grey(16, 16, (x, y) => 90 + ((x * 7 + y * 13) % 3)),
    );
    assert.ok(noisy.data.every((value) => value < 16));
  });

  it('has grey levels for a photo', () => {
    const { data } = preprocess('soft_edge', photo);
    assert.ok(new Set(data).size > 100);
    assert.ok(data.includes(255));
  });
});
