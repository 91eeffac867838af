import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guide, isActive, keepsStock, needsNegative } from '../../src/diffusion/guidance.js';

const strong = { scale: 2, delta: 0.5 };

test('guidance is active above a scale of 1, if there is any', () => {
  for (const type of ['full', 'self', 'initialize'] as const) {
    assert.equal(isActive({ type, ...strong }), true);
    assert.equal(isActive({ type, delta: 1, scale: 1 }), false);
  }
  assert.equal(isActive({ type: 'none', ...strong }), false);
});

test('a negative row is needed at each stage, at the first, or at none', () => {
  const stages = (type: 'none' | 'full' | 'self' | 'initialize', scale = 2): readonly boolean[] =>
    [0, 1, 2].map((stage) => needsNegative({ type, scale, delta: 1 }, stage));
  assert.deepEqual(stages('full'), [true, true, true]);
  assert.deepEqual(stages('initialize'), [true, false, false]);
  assert.deepEqual(stages('self'), [false, false, false]);
  assert.deepEqual(stages('none'), [false, false, false]);
  assert.deepEqual(stages('full', 1), [false, false, false]);
});

test('stock noise is kept whatever the scale', () => {
  const keeping = (['none', 'full', 'self', 'initialize'] as const).filter((type) =>
    keepsStock({ type, scale: 1, delta: 1 }),
  );
  assert.deepEqual(keeping, ['self', 'initialize']);
});

test('predictions move away from the negative one; in residual guidance that is delta times the stock noise', () => {
  const guided = (type: 'full' | 'self'): number[] => {
    const eps = Float64Array.of(1, -2);
    guide({ type, ...strong }, eps, Float64Array.of(3, 4));
    return [...eps];
  };
  assert.deepEqual(guided('full'), [3 + 2 * (1 - 3), 4 + 2 * (-2 - 4)]);
  assert.deepEqual(guided('self'), [1.5 + 2 * (1 - 1.5), 2 + 2 * (-2 - 2)]);
});
