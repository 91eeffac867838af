import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { PicturePlanes } from '../../../../src/engine/worker/networks/picture-planes.js';
import { assertClose } from '../../../support/compare.js';

const asBytes = { scale: [1, 1, 1], shift: [0, 0, 0] } as const;
const plain = await PicturePlanes.load(asBytes, 'rgb', 1);
after(() => plain[Symbol.asyncDispose]());

/** Resizes rows of bytes, which are all channels of a picture. */
async function resized(
  rows: readonly (readonly number[])[],
  height: number,
  width: number,
): Promise<number[]> {
  const out = new Float32Array(3 * height * width);
  const data = Uint8Array.from(rows.flat().flatMap((value) => [value, value, value]));
  await plain.write({ data, width: rows[0].length, height: rows.length }, { width, height }, out);
  const planes = [0, 1, 2].map((channel) =>
    [...out].slice(channel * height * width, (channel + 1) * height * width),
  );
  assert.deepEqual(planes[1], planes[0]);
  assert.deepEqual(planes[2], planes[0]);
  return planes[0];
}

test('a picture is resized between the centres of its pixels', async () => {
  assert.deepEqual(await resized([[0, 4]], 1, 4), [0, 1, 3, 4]);
  assert.deepEqual(await resized([[0], [4]], 4, 1), [0, 1, 3, 4]);
  const square = [
    [1, 2],
    [3, 4],
  ];
  assert.deepEqual(await resized(square, 1, 1), [2.5]);
  assert.deepEqual(await resized([[7]], 2, 3), [7, 7, 7, 7, 7, 7]);
  const rows = [
    [1, 2, 3],
    [4, 5, 6],
  ];
  assert.deepEqual(await resized(rows, 2, 3), [1, 2, 3, 4, 5, 6]);
});

test('resizing keeps slopes, within half a pixel of the edge', async () => {
  const slope = Array.from({ length: 8 }, (_, y) => Array.from({ length: 10 }, (_, x) => 10 * y + x));
  const out = await resized(slope, 16, 20);
  for (let y = 1; y < 15; y++) {
    const wanted = Array.from({ length: 18 }, (_, i) => 10 * ((y + 0.5) / 2 - 0.5) + (i + 1.5) / 2 - 0.5);
    assertClose(out.slice(y * 20 + 1, y * 20 + 19), wanted, 1e-4, `row ${y}`);
  }
});

test('values stay within those of the picture, whatever its size', async () => {
  const side = fc.integer({ min: 1, max: 9 });
  await fc.assert(
    fc.asyncProperty(side, side, side, side, async (height, width, toHeight, toWidth) => {
      const rows = Array.from({ length: height }, (_, y) =>
        Array.from({ length: width }, (_, x) => (x * 7 + y * 5) % 11),
      );
      const out = await resized(rows, toHeight, toWidth);
      const [least, greatest] = [Math.min(...rows.flat()), Math.max(...rows.flat())];
      assert.ok(out.every((value) => value >= least - 1e-5 && value <= greatest + 1e-5));
    }),
  );
});

test('channels get their order, and each its scale and shift', async () => {
  const scaling = { scale: [1, 0.5, 0.25], shift: [0, 10, -3] } as const;
  const image = { width: 2, height: 1, data: Uint8Array.of(9, 10, 11, 19, 20, 21) };
  for (const [order, wanted] of [
    ['rgb', [9, 19, 15, 20, -0.25, 2.25]],
    ['bgr', [11, 21, 15, 20, -0.75, 1.75]],
  ] as const) {
    await using planes = await PicturePlanes.load(scaling, order, 1);
    const out = new Float32Array(6);
    await planes.write(image, image, out);
    assert.deepEqual([...out], wanted, order);
  }
});

test('memory beyond the picture is left alone, before and after its planes too', async () => {
  const image = { width: 1, height: 1, data: Uint8Array.of(5, 6, 7, 99, 99) };
  const out = new Float32Array(5).fill(-1);
  await plain.write(image, { width: 1, height: 1 }, out.subarray(1, 4));
  assert.deepEqual([...out], [-1, 5, 6, 7, -1]);
});
