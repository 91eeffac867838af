import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptCosts, tinyModel } from '../../support/engine.js';
import { conversionFigures } from './conversions.js';
import { sceneFigures } from './scenes.js';

test('the time of the inference thread is measured, outside of ONNX Runtime and in it', async () => {
  const kept = await keptCosts();
  const figures = await sceneFigures({ model: tinyModel, threads: 1, side: 64, frames: 2, kept });
  assert.equal(figures.length, 12);
  for (const { what, value } of figures) assert.ok(value > 0, `${what}: ${value}`);
});

test('conversions in JavaScript give back what they took', () => {
  assert.equal(conversionFigures(16, 2).length, 2);
});
