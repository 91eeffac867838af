import assert from 'node:assert/strict';
import { test } from 'node:test';
import { bytesToPlanes, planesToBytes } from '../../../../src/engine/worker/networks/pixels.js';

test('pictures become planes of a larger size, extended to the right and below, and come back unchanged', () => {
  const picture = { width: 2, height: 2 };
  const planes = { width: 4, height: 3 };
  const pixels = Uint8Array.of(0, 10, 255, 51, 20, 204, 102, 30, 153, 255, 40, 0);
  const values = new Float32Array(3 * 4 * 3);
  bytesToPlanes(pixels, picture, planes, values);
  const plane = (index: number): number[] =>
    Array.from(values.subarray(index * 12, (index + 1) * 12), (value) => Math.round((value + 1) * 127.5));
  assert.deepEqual(plane(0), [0, 51, 51, 51, 102, 255, 255, 255, 102, 255, 255, 255]);
  assert.deepEqual(plane(1), [10, 20, 20, 20, 30, 40, 40, 40, 30, 40, 40, 40]);
  assert.deepEqual(plane(2), [255, 204, 204, 204, 153, 0, 0, 0, 153, 0, 0, 0]);
  const back = new Uint8ClampedArray(pixels.length);
  planesToBytes(values, planes, picture, back);
  assert.deepEqual([...back], [...pixels]);
});

test('values beyond a byte are clamped', () => {
  const out = new Uint8ClampedArray(3);
  const one = { width: 1, height: 1 };
  assert.equal(planesToBytes(Float32Array.of(-1.5, 3, 0), one, one, out), true);
  assert.deepEqual([...out], [0, 255, 128]);
});

test('values that are not finite are detected anywhere in a picture', () => {
  const size = { width: 3, height: 2 };
  const out = new Uint8ClampedArray(18);
  const big = new Float32Array(18).fill(3.4e38);
  assert.equal(planesToBytes(big, size, size, out), true);
  for (const value of [NaN, Infinity, -Infinity]) {
    for (let i = 0; i < 18; i++) {
      const planes = Float32Array.from({ length: 18 }, (_, k) => (k === i ? value : 0.5));
      assert.equal(planesToBytes(planes, size, size, out), false, `${value} at ${i}`);
    }
  }
  // Opposite infinities do not cancel out.
  assert.equal(
    planesToBytes(
      Float32Array.of(Infinity, -Infinity, 0),
      { width: 1, height: 1 },
      { width: 1, height: 1 },
      out,
    ),
    false,
  );
});

test('pictures become planes that are only wider, or only higher', () => {
  const picture = { width: 2, height: 2 };
  const pixels = Uint8Array.of(0, 10, 255, 51, 20, 204, 102, 30, 153, 255, 40, 0);
  for (const [planes, wanted] of [
    [{ width: 3, height: 2 }, [0, 51, 51, 102, 255, 255, 10, 20, 20, 30, 40, 40, 255, 204, 204, 153, 0, 0]],
    [{ width: 2, height: 3 }, [0, 51, 102, 255, 102, 255, 10, 20, 30, 40, 30, 40, 255, 204, 153, 0, 153, 0]],
    [picture, [0, 51, 102, 255, 10, 20, 30, 40, 255, 204, 153, 0]],
  ] as const) {
    // Memory behind the planes stays unchanged.
    const values = new Float32Array(wanted.length + 2).fill(9);
    bytesToPlanes(pixels, picture, planes, values);
    const levels = Array.from(values.subarray(0, wanted.length), (value) => Math.round((value + 1) * 127.5));
    assert.deepEqual(levels, wanted);
    assert.deepEqual([...values.subarray(wanted.length)], [9, 9]);
    const back = new Uint8ClampedArray(pixels.length);
    planesToBytes(values, planes, picture, back);
    assert.deepEqual([...back], [...pixels]);
  }
});
