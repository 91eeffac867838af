import assert from 'node:assert/strict';
import { it } from 'node:test';
import { guidanceEmbedding } from '../../../../src/engine/worker/networks/guidance-embedding.js';
import { assertClose } from '../../../support/compare.js';
import { expectedOf } from '../../../support/layouts.js';

it('a guidance scale is embedded as diffusers does', async () => {
  const expected = await expectedOf('lcm');
  // diffusers computes the angles, up to 6500, in single precision.
  assertClose(guidanceEmbedding(7.5, 256), expected.floats('guidance'), 1e-3, 'embedding');
});

it('a guidance embedding holds sines, then cosines, at frequencies from 1 to 1/10000, then 0 if the width is odd', () => {
  const angles = [1000 * 0.25, (1000 * 0.25) / 100, (1000 * 0.25) / 10_000];
  const wanted = Float32Array.from([...angles.map(Math.sin), ...angles.map(Math.cos)]);
  assertClose(guidanceEmbedding(1.25, 6), wanted, 1e-6, 'embedding');
  assertClose(guidanceEmbedding(1.25, 7), Float32Array.of(...wanted, 0), 1e-6, 'odd');
  assert.deepEqual(guidanceEmbedding(1, 6), Float32Array.of(0, 0, 0, 1, 1, 1));
});
