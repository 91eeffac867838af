import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { nearest, resample } from '../../../../src/engine/worker/networks/resample.js';
import { assertClose } from '../../../support/compare.js';

/** Resizes rows of numbers. */
function resized(rows: readonly (readonly number[])[], height: number, width: number): number[] {
  const out = new Float32Array(height * width);
  const from = { width: rows[0].length, height: rows.length };
  resample({ values: rows.flat(), first: 0, step: 1, ...from }, { width, height }, out);
  return [...out];
}

test('a channel is resized between the centres of its pixels', () => {
  assert.deepEqual(resized([[0, 4]], 1, 4), [0, 1, 3, 4]);
  assert.deepEqual(resized([[0], [4]], 4, 1), [0, 1, 3, 4]);
  assert.deepEqual(
    resized(
      [
        [1, 2],
        [3, 4],
      ],
      1,
      1,
    ),
    [2.5],
  );
  assert.deepEqual(resized([[7]], 2, 3), [7, 7, 7, 7, 7, 7]);
  assert.deepEqual(
    resized(
      [
        [1, 2, 3],
        [4, 5, 6],
      ],
      2,
      3,
    ),
    [1, 2, 3, 4, 5, 6],
  );
});

test('resizing keeps slopes, within half a pixel of the edge', () => {
  const slope = Array.from({ length: 8 }, (_, y) => Array.from({ length: 10 }, (_, x) => 10 * y + x));
  const out = resized(slope, 16, 20);
  for (let y = 1; y < 15; y++) {
    const wanted = Array.from({ length: 18 }, (_, i) => 10 * ((y + 0.5) / 2 - 0.5) + (i + 1.5) / 2 - 0.5);
    assertClose(out.slice(y * 20 + 1, y * 20 + 19), wanted, 1e-5, `row ${y}`);
  }
});

test('one channel of interleaved bytes can be resized', () => {
  const out = new Float32Array(2);
  const pixels = Uint8Array.of(9, 10, 11, 19, 20, 21);
  resample({ values: pixels, first: 1, step: 3, width: 2, height: 1 }, { width: 2, height: 1 }, out);
  assert.deepEqual([...out], [10, 20]);
});

test('values stay within those of the channel, whatever its size', () => {
  const side = fc.integer({ min: 1, max: 9 });
  fc.assert(
    fc.property(side, side, side, side, (height, width, toHeight, toWidth) => {
      const rows = Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (_, x) => (x * 7 + y * 5) % 11),
      );
      const out = resized(rows, toHeight, toWidth);
      const [least, greatest] = [Math.min(...rows.flat()), Math.max(...rows.flat())];
      assert.ok(out.every((value) => value >= least - 1e-5 && value <= greatest + 1e-5));
    }),
  );
});

test('the nearest pixels of another side', () => {
  assert.deepEqual([...nearest(2, 4)], [0, 0, 1, 1]);
  assert.deepEqual([...nearest(4, 2)], [1, 3]);
  assert.deepEqual([...nearest(3, 3)], [0, 1, 2]);
  assert.deepEqual([...nearest(1, 3)], [0, 0, 0]);
});
