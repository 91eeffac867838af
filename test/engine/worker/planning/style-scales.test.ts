import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { StreamParameters } from '@millrace/protocol';
import { styleScales } from '../../../../src/engine/worker/planning/style-scales.js';

/** Returns as many layers of each block as given, in the order of diffusers: the middle block comes last. */
function blocks(counts: Readonly<Record<string, number>>): readonly string[] {
  return Object.entries(counts).flatMap(([block, count]) => Array.from({ length: count }, () => block));
}

const small = blocks({ 'down_blocks.0': 1, 'up_blocks.1': 2, mid_block: 1 });

function scalesOf(
  layers: readonly string[],
  ip_adapter_weight_type: StreamParameters['ip_adapter_weight_type'],
  ip_adapter_scale = 1,
): readonly number[] {
  return [...styleScales(layers, { ip_adapter_scale, ip_adapter_weight_type })];
}

/** Returns the layers that count. */
function counting(...given: Parameters<typeof scalesOf>): readonly number[] {
  return scalesOf(...given).flatMap((scale, layer) => (scale > 0 ? [layer] : []));
}

describe('the scales of a style image', () => {
  it('are the same in all layers, or rise and fall from the input of the U-Net on', () => {
    assert.deepEqual(scalesOf(small, 'linear', 0.5), [0.5, 0.5, 0.5, 0.5]);
    // In the order of the network: down, middle, up, up.
    assert.deepEqual(scalesOf(small, 'ease_in'), [1, 0.5, 0.25, 0.75]);
    assert.deepEqual(scalesOf(small, 'ease_out', 2), [0.5, 1.5, 2, 1]);
  });

  // Layers of the transformers: 2 and 10 in down blocks of 2 attentions, 10 and 2 in up blocks of 3, 10 in the middle.
  const xl = blocks({
    'down_blocks.1': 4,
    'down_blocks.2': 20,
    'up_blocks.0': 30,
    'up_blocks.1': 6,
    mid_block: 10,
  });
  const one = blocks({
    'down_blocks.0': 2,
    'down_blocks.1': 2,
    'down_blocks.2': 2,
    'up_blocks.1': 3,
    'up_blocks.2': 3,
    'up_blocks.3': 3,
    mid_block: 1,
  });
  const range = (from: number, to: number): readonly number[] =>
    Array.from({ length: to - from }, (_, i) => from + i);

  it('of SDXL are those of InstantStyle: up_blocks.0.attentions.1 is the look, down_blocks.2.attentions.1 the layout', () => {
    assert.deepEqual(counting(xl, 'style_transfer'), range(34, 44));
    assert.deepEqual(counting(xl, 'composition'), range(14, 24));
    assert.deepEqual(counting(xl, 'style_and_composition'), [...range(14, 24), ...range(34, 44)]);
  });

  it('are at the same places of Stable Diffusion 1', () => {
    assert.deepEqual(counting(one, 'style_transfer'), [7]);
    assert.deepEqual(counting(one, 'composition'), [5]);
    assert.equal(scalesOf(one, 'composition', 0.25)[5], 0.25);
  });

  it('count somewhere, however few layers a block has', () => {
    for (const layers of [1, 2, 3, 4, 5].map((count) =>
      blocks({ 'down_blocks.0': count, 'up_blocks.0': count }),
    )) {
      for (const type of ['style_transfer', 'composition'] as const) {
        assert.ok(counting(layers, type).length > 0, `${type} of ${layers.length}`);
      }
    }
  });
});
