import type { StreamParameters } from '@millrace/protocol';

type WeightType = StreamParameters['ip_adapter_weight_type'];
type StyleWeights = Pick<StreamParameters, 'ip_adapter_scale' | 'ip_adapter_weight_type'>;

/**
 * Returns how much a style image counts in each cross-attention layer. The look comes from the middle of the first block
 * after the bottleneck, the layout from the end of the last block before it (InstantStyle, arXiv:2404.02733: the blocks
 * `up_blocks.0.attentions.1` and `down_blocks.2.attentions.1` of SDXL).
 * @param blocks the block of each layer, such as `down_blocks.0`, in any order; those of a block follow each other.
 */
export function styleScales(
  blocks: readonly string[],
  { ip_adapter_scale: scale, ip_adapter_weight_type: type }: StyleWeights,
): Float32Array {
  const look = layersOf(blocks, inOrder(blocks, 'up_blocks')[0], [1 / 3, 2 / 3]);
  const layout = layersOf(blocks, inOrder(blocks, 'down_blocks').at(-1), [1 / 2, 1]);
  /** `position` counts the layers from the input on. */
  const weights: Readonly<Record<WeightType, (layer: number, position: number) => number>> = {
    linear: () => 1,
    ease_in: (_, position) => 1 - position / blocks.length,
    ease_out: (_, position) => (position + 1) / blocks.length,
    style_transfer: (layer) => (look.has(layer) ? 1 : 0),
    composition: (layer) => (layout.has(layer) ? 1 : 0),
    style_and_composition: (layer) => (look.has(layer) || layout.has(layer) ? 1 : 0),
  };
  const fromInput = blocks
    .map((_, layer) => layer)
    .toSorted((a, b) => depthOf(blocks[a]) - depthOf(blocks[b]));
  const scales = new Float32Array(blocks.length);
  for (const [position, layer] of fromInput.entries()) scales[layer] = scale * weights[type](layer, position);
  return scales;
}

/** Returns a number that rises in the order in which a U-Net computes its blocks. */
function depthOf(block = ''): number {
  const [kind = '', index = '0'] = block.split('.');
  const kinds = ['down_blocks', 'mid_block', 'up_blocks'];
  return 1000 * kinds.indexOf(kind) + Number(index);
}

/** Returns the blocks of a kind, from the input on. */
function inOrder(blocks: readonly string[], kind: string): readonly string[] {
  return blocks.filter((block) => block.startsWith(kind)).toSorted((a, b) => depthOf(a) - depthOf(b));
}

/** Returns the layers of a block from one part of it to another, at least one. */
function layersOf(
  blocks: readonly string[],
  block: string | undefined,
  [from, to]: readonly [number, number],
): ReadonlySet<number> {
  const layers = blocks.flatMap((own, layer) => (own === block ? [layer] : []));
  const { length } = layers;
  return new Set(layers.slice(Math.floor(length * from), Math.ceil(length * to)));
}
