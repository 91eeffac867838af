import { it } from 'node:test';
import { guidanceEmbedding } from '../../../../src/engine/worker/networks/guidance-embedding.js';
import { assertClose } from '../../../support/compare.js';
import { expectedOf } from '../../../support/layouts.js';

it('embeds a guidance scale as diffusers does', async () => {
  const expected = await expectedOf('lcm');
  // diffusers computes the angles, up to 6500, in single precision.
  assertClose(guidanceEmbedding(7.5, 256), expected.floats('guidance'), 1e-3, 'embedding');
});
