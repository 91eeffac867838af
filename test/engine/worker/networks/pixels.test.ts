import assert from 'node:assert/strict';
import { test } from 'node:test';
import { cropPicture, fillPicture } from '../../../../src/engine/worker/networks/pixels.js';

const picture = { width: 2, height: 2 };
const [a, b, c, d] = [
  [0, 10, 255],
  [51, 20, 204],
  [102, 30, 153],
  [255, 40, 0],
];
const pixels = Uint8Array.from([a, b, c, d].flat());

for (const [title, filled, wanted] of [
  ['wider and higher', { width: 4, height: 3 }, [a, b, b, b, c, d, d, d, c, d, d, d]],
  ['wider', { width: 3, height: 2 }, [a, b, b, c, d, d]],
  ['higher', { width: 2, height: 4 }, [a, b, c, d, c, d, c, d]],
  ['of the same size', picture, [a, b, c, d]],
] as const) {
  test(`a picture is copied into one that is ${title}, with its last pixels repeated, and back`, () => {
    const values = wanted.flat();
    // Memory behind the pictures stays unchanged.
    const out = new Uint8Array(values.length + 2).fill(9);
    fillPicture(Uint8Array.of(...pixels, 7, 7), picture, filled, out);
    assert.deepEqual([...out], [...values, 9, 9]);
    const back = new Uint8Array(pixels.length + 1).fill(9);
    cropPicture(out, filled, picture, back);
    assert.deepEqual([...back], [...pixels, 9]);
  });
}
