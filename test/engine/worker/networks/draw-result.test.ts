import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { drawResult } from '../../../../src/engine/worker/networks/draw-result.js';
import type { PreprocessorResult } from '../../../../src/model/layout/preprocessor.js';

const depth: PreprocessorResult = {
  kind: 'depth',
  range: [0, 1],
  invert: false,
  palette: [],
  channel: 0,
  classes: null,
};

/** Draws one row of pixels in its own size. @returns the colours. */
function draw(
  values: readonly number[],
  channels: number,
  result: PreprocessorResult,
  times = 1,
): number[][] {
  const width = values.length / channels;
  const output = { values: Float32Array.from(values), channels, width, height: 1 };
  const { data } = drawResult(output, result, { width: width * times, height: 1 });
  return Array.from({ length: width * times }, (_, x) => [...data.subarray(3 * x, 3 * x + 3)]);
}

const greys = (colours: readonly (readonly number[])[]): readonly number[] => {
  for (const [red, green, blue] of colours) assert.deepEqual([green, blue], [red, red]);
  return colours.map(([red]) => red);
};

describe('the result of a preprocessor', () => {
  it('is grey between its values for black and white, and clamped beyond them', () => {
    assert.deepEqual(greys(draw([-1, 0, 0.2, 1, 2], 1, depth)), [0, 0, 51, 255, 255]);
    assert.deepEqual(greys(draw([10, 20, 30], 1, { ...depth, range: [10, 30] })), [0, 128, 255]);
    assert.deepEqual(greys(draw([10, 30], 1, { ...depth, range: [30, 10] })), [255, 0]);
  });

  it('is black at its least value and white at its greatest with minmax; a flat one is black', () => {
    assert.deepEqual(greys(draw([-5, 0, 5], 1, { ...depth, range: 'minmax' })), [0, 128, 255]);
    assert.deepEqual(greys(draw([3, 3], 1, { ...depth, range: 'minmax' })), [0, 0]);
  });

  it('can be inverted', () => {
    assert.deepEqual(greys(draw([0, 0.2, 1, 3], 1, { ...depth, invert: true })), [255, 204, 0, 0]);
  });

  it('is drawn in colour if it is a picture, with one range for all channels', () => {
    const picture: PreprocessorResult = { ...depth, kind: 'picture' };
    assert.deepEqual(draw([1, 0, 0.2, 0, 0, 1], 3, picture), [
      [255, 51, 0],
      [0, 0, 255],
    ]);
    assert.deepEqual(draw([4, 0, 2, 0, 0, 1], 3, { ...picture, range: 'minmax' }), [
      [255, 128, 0],
      [0, 0, 64],
    ]);
    assert.deepEqual(draw([1, 0], 1, picture), [
      [255, 255, 255],
      [0, 0, 0],
    ]);
  });

  it('has the size of the frame', () => {
    assert.deepEqual(greys(draw([0, 1], 1, depth, 2)), [0, 64, 191, 255]);
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

  it('are drawn in the colour of the class with the greatest score', () => {
    assert.deepEqual(draw([0.5, -9, 0.4, 0.1, -3, 0.4, 0.2, -5, 0.6], 3, classes), [
      palette[0],
      palette[1],
      palette[2],
    ]);
  });

  it('are drawn in the colour of their number, which starts again after the last colour', () => {
    assert.deepEqual(draw([0, 2, 1, 4, -1], 1, classes), [
      palette[0],
      palette[2],
      palette[1],
      palette[1],
      palette[0],
    ]);
  });

  it('are not mixed where a picture is enlarged', () => {
    assert.deepEqual(draw([0, 1], 1, classes, 2), [palette[0], palette[0], palette[1], palette[1]]);
  });
});

describe('a mask', () => {
  const mask: PreprocessorResult = { ...depth, kind: 'mask' };

  it('is one channel in grey, in its range', () => {
    const values = [0.5, 0, 9, 0, 1, 0.2, 7, 8, 9];
    assert.deepEqual(greys(draw(values, 3, { ...mask, channel: 1 })), [0, 255, 51]);
    const inverted = { ...mask, channel: 1, range: 'minmax', invert: true } as const;
    assert.deepEqual(greys(draw(values, 3, inverted)), [255, 0, 204]);
  });

  it('is white where a pixel is of one of its classes, by scores or by number', () => {
    const person = { ...mask, classes: [1, 2], range: [5, 7] } as const;
    assert.deepEqual(greys(draw([0.5, 0, 0, 0.1, 3, 0.4, 0.2, -5, 0.6], 3, person)), [0, 255, 255]);
    assert.deepEqual(greys(draw([0, 2, 1, 4], 1, person)), [0, 255, 255, 0]);
    assert.deepEqual(
      greys(draw([0, 2], 1, person, 2)),
      [0, 64, 191, 255],
      'with soft edges if it is enlarged',
    );
  });
});
