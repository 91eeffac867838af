import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { emphasise } from '../../src/diffusion/emphasis.js';

test('tokens are weighted, and the mean over all stays', () => {
  const states = Float32Array.of(1, 2, 3, 4, 5, 6);
  emphasise(states, [1, 2, 1]);
  // 1 2 6 8 5 6 have the sum 28; it was 21.
  const wanted = [1, 2, 6, 8, 5, 6].map((value) => Math.fround(value * 0.75));
  assert.deepEqual([...states], wanted);
});

test('weights of 1 change nothing, and neither do equal weights', () => {
  const value = fc.float({ min: -30, max: 30, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(value, { minLength: 12, maxLength: 12 }),
      fc.constantFrom(1, 0.5, 2, 4),
      (values, weight) => {
        const states = Float32Array.from(values);
        emphasise(states, [weight, weight, weight]);
        const total = values.reduce((sum, value) => sum + value, 0);
        // Without a mean there is nothing to restore.
        if (weight === 1 || Math.abs(total) > 1e-3) {
          states.forEach((state, i) => assert.ok(Math.abs(state - (values[i] ?? 0)) < 1e-4));
        }
      },
    ),
  );
});

test('values with a mean of 0 are weighted all the same', () => {
  const states = Float32Array.of(1, 1, -1, -1);
  emphasise(states, [1, 1]);
  assert.deepEqual([...states], [1, 1, -1, -1]);
  const weighted = Float32Array.of(1, -1, 1, -1);
  emphasise(weighted, [2, 1]);
  assert.deepEqual([...weighted], [2, -2, 1, -1]);
});
