import assert from 'node:assert/strict';
import { it } from 'node:test';
import { writeWeightedSum } from '../../src/diffusion/weighted-sum.js';

it('writes the weighted sum of two latents of any length, in either precision, also over one of them', () => {
  for (const length of [0, 1, 3, 4, 5, 8, 11]) {
    const a = Float32Array.from({ length }, (_, i) => i + 1);
    const b = Float64Array.from({ length }, (_, i) => 10 * i);
    const expected = Array.from({ length }, (_, i) => 2 * (i + 1) - 0.5 * 10 * i);
    const out = new Float32Array(length);
    writeWeightedSum(out, 2, a, -0.5, b);
    assert.deepEqual([...out], expected);
    writeWeightedSum(a, 2, a, -0.5, b);
    assert.deepEqual([...a], expected);
  }
});
