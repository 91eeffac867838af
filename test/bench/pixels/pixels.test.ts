import assert from 'node:assert/strict';
import { test } from 'node:test';
import { keptCosts, tinyModel } from '../../support/engine.js';
import { hasThreadClock } from '../thread-clock.js';
import { conversionFigures } from './conversions.js';
import { sceneFigures } from './scenes.js';

const skip = !hasThreadClock && 'this system does not tell the processor time of a thread';

test('the time of the inference thread is measured, and that of graphs in it', { skip }, async () => {
  const kept = await keptCosts();
  const figures = await sceneFigures({ model: tinyModel, side: 64, frames: 20, warmUp: 2, kept });
  const graphs = figures.filter(({ what }) => what.endsWith('in graphs on the CPU'));
  assert.equal(graphs.length, 2, 'with a safety checker');
  assert.equal(figures.length, 6 + graphs.length);
  for (const { what, value } of figures) assert.ok(value > 0, `${what}: ${value}`);
});

test('conversions in JavaScript give back what they took', () => {
  assert.equal(conversionFigures(16, 2).length, 2);
});
