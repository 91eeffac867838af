import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ResultDrawing } from '../../../../src/engine/worker/networks/draw-result.js';
import type { PreprocessorResult } from '../../../../src/model/layout/preprocessor.js';

const depth: PreprocessorResult = {
  kind: 'depth',
  range: [0, 1],
  invert: false,
  palette: [],
  channel: 0,
  classes: null,
};

type Values = Float32Array | Int32Array | BigInt64Array;

function typeOf(values: Values): 'float32' | 'int32' | 'int64' {
  if (values instanceof Float32Array) return 'float32';
  return values instanceof Int32Array ? 'int32' : 'int64';
}

/** Draws one row of pixels in its own size. @returns the colours; null if it is not drawn. */
async function drawOrNot(
  values: Values,
  channels: number,
  result: PreprocessorResult,
  times = 1,
): Promise<number[][] | null> {
  const width = values.length / channels;
  await using drawing = await ResultDrawing.load(result, { type: typeOf(values), channels }, 1);
  const image = await drawing.draw({ values, width, height: 1 }, { width: width * times, height: 1 });
  const { data } = image ?? {};
  return data ? Array.from({ length: width * times }, (_, x) => [...data.subarray(3 * x, 3 * x + 3)]) : null;
}

async function draw(
  values: readonly number[],
  ...how: [channels: number, result: PreprocessorResult, times?: number]
): Promise<number[][]> {
  const colours = await drawOrNot(Float32Array.from(values), ...how);
  assert.ok(colours);
  return colours;
}

const greys = (colours: readonly (readonly number[])[]): readonly number[] => {
  for (const [red, green, blue] of colours) assert.deepEqual([green, blue], [red, red]);
  return colours.map(([red]) => red);
};

describe('the result of a preprocessor', () => {
  it('is grey between its values for black and white, and clamped beyond them', async () => {
    assert.deepEqual(greys(await draw([-1, 0, 0.2, 1, 2], 1, depth)), [0, 0, 51, 255, 255]);
    assert.deepEqual(greys(await draw([10, 20, 30], 1, { ...depth, range: [10, 30] })), [0, 128, 255]);
    assert.deepEqual(greys(await draw([10, 30], 1, { ...depth, range: [30, 10] })), [255, 0]);
  });

  it('is black at its least value and white at its greatest with minmax; a flat one is black', async () => {
    assert.deepEqual(greys(await draw([-5, 0, 5], 1, { ...depth, range: 'minmax' })), [0, 128, 255]);
    assert.deepEqual(greys(await draw([3, 3], 1, { ...depth, range: 'minmax' })), [0, 0]);
  });

  it('can be inverted', async () => {
    assert.deepEqual(greys(await draw([0, 0.2, 1, 3], 1, { ...depth, invert: true })), [255, 204, 0, 0]);
  });

  it('is drawn in colour if it is a picture, with one range for all channels', async () => {
    const picture: PreprocessorResult = { ...depth, kind: 'picture' };
    assert.deepEqual(await draw([1, 0, 0.2, 0, 0, 1], 3, picture), [
      [255, 51, 0],
      [0, 0, 255],
    ]);
    assert.deepEqual(await draw([4, 0, 2, 0, 0, 1], 3, { ...picture, range: 'minmax' }), [
      [255, 128, 0],
      [0, 0, 64],
    ]);
    assert.deepEqual(await draw([1, 0], 1, picture), [
      [255, 255, 255],
      [0, 0, 0],
    ]);
  });

  it('is none if a value is not finite, of any channel', async () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      assert.equal(await drawOrNot(Float32Array.of(0, 1, value, 0), 1, depth), null);
      const classes: PreprocessorResult = { ...depth, kind: 'classes', palette: [[1, 2, 3]] };
      assert.equal(await drawOrNot(Float32Array.of(0, 1, value, 0), 2, classes), null);
      const mask: PreprocessorResult = { ...depth, kind: 'mask', channel: 0 };
      assert.equal(await drawOrNot(Float32Array.of(0, 1, value, 0), 2, mask), null);
    }
  });

  it('has the size of the frame', async () => {
    assert.deepEqual(greys(await draw([0, 1], 1, depth, 2)), [0, 64, 191, 255]);
  });
});

describe('classes', () => {
  const palette = [
    [1, 2, 3],
    [40, 50, 60],
    [7, 8, 9],
  ] as const;
  const classes: PreprocessorResult = {
    kind: 'classes',
    range: 'minmax',
    invert: true,
    channel: 0,
    classes: null,
    palette,
  };

  it('are drawn in the colour of the class with the greatest score', async () => {
    assert.deepEqual(await draw([0.5, -9, 0.4, 0.1, -3, 0.4, 0.2, -5, 0.6], 3, classes), [
      palette[0],
      palette[1],
      palette[2],
    ]);
  });

  it('are drawn in the colour of their number, which starts again after the last colour', async () => {
    assert.deepEqual(await draw([0, 2, 1, 4, -1], 1, classes), [
      palette[0],
      palette[2],
      palette[1],
      palette[1],
      palette[0],
    ]);
  });

  it('are drawn by their number in integers too', async () => {
    const wanted = [palette[0], palette[2], palette[1]];
    assert.deepEqual(await drawOrNot(Int32Array.of(0, 2, 4), 1, classes), wanted);
    assert.deepEqual(await drawOrNot(BigInt64Array.of(0n, 2n, 4n), 1, classes), wanted);
  });

  it('are not mixed where a picture is enlarged', async () => {
    assert.deepEqual(await draw([0, 1], 1, classes, 2), [palette[0], palette[0], palette[1], palette[1]]);
  });
});

describe('a mask', () => {
  const mask: PreprocessorResult = { ...depth, kind: 'mask' };

  it('is one channel in grey, in its range', async () => {
    const values = [0.5, 0, 9, 0, 1, 0.2, 7, 8, 9];
    assert.deepEqual(greys(await draw(values, 3, { ...mask, channel: 1 })), [0, 255, 51]);
    const inverted = { ...mask, channel: 1, range: 'minmax', invert: true } as const;
    assert.deepEqual(greys(await draw(values, 3, inverted)), [255, 0, 204]);
  });

  it('is white where a pixel is of one of its classes, by scores or by number', async () => {
    const person = { ...mask, classes: [1, 2], range: [5, 7] } as const;
    assert.deepEqual(greys(await draw([0.5, 0, 0, 0.1, 3, 0.4, 0.2, -5, 0.6], 3, person)), [0, 255, 255]);
    assert.deepEqual(greys(await draw([0, 2, 1, 4], 1, person)), [0, 255, 255, 0]);
    assert.deepEqual(
      greys(await draw([0, 2], 1, person, 2)),
      [0, 64, 191, 255],
      'with soft edges if it is enlarged',
    );
  });
});
