import type { ModelFolder } from '../../src/model/folder.js';
import type { ControlLayout, SteeredLayout } from '../../src/model/layout/steered.js';
import type { NumberPort } from '../../src/model/layout/ports.js';
import type { UnetInput } from '../../src/model/layout/unet.js';

function port(name: string, shape: NumberPort['shape']): NumberPort {
  return { name, type: 'float32', shape };
}

/** Returns a control with one feature of one channel. */
function control(folder: ModelFolder, name: string, i: number): ControlLayout {
  const input: UnetInput = {
    port: port(`control_${i}_feature_0`, ['b', 1, 'h', 'w']),
    from: 'conditioning',
    shape: ({ rows, height, width }) => [rows, 1, height, width],
    optional: 'whole',
  };
  return {
    name,
    type: 'controlnet',
    preprocessor: null,
    graph: folder.layout.unet.graph,
    image: port('image', ['b', 3, 'h', 'w']),
    features: [{ output: port('feature_0', ['b', 1, 'h', 'w']), input }],
    scale: `control_${i}_scale`,
  };
}

/**
 * Returns a model as if it had a steered U-Net, for tests that run no network: with the controls canny and depth, an
 * image encoder for two layers, and a bank of one layer at half the latent's side.
 */
export function steeredFolder(folder: ModelFolder): ModelFolder {
  const { graph } = folder.layout.unet;
  const controls = ['canny', 'depth'].map((name, i) => control(folder, name, i));
  const further: readonly UnetInput[] = [
    ...controls.flatMap(({ features, scale }): UnetInput[] => [
      ...features.map(({ input }) => input),
      {
        port: port(scale, ['b']),
        from: 'conditioning',
        shape: ({ rows }) => [rows],
        optional: 'whole',
        scales: scale.replace('scale', 'feature_0'),
      },
    ]),
    {
      port: port('bank_0', ['b', 'slots', 2, 'p', 3]),
      from: 'conditioning',
      shape: ({ rows, slots = 1, height, width }) => [
        rows,
        slots,
        2,
        Math.ceil(height / 2) * Math.ceil(width / 2),
        3,
      ],
      optional: 'part',
    },
    {
      port: port('bank_mask', ['b', 'slots']),
      from: 'conditioning',
      shape: ({ rows, slots = 1 }) => [rows, slots],
      optional: 'part',
    },
  ];
  const steered: SteeredLayout = {
    unet: { ...folder.layout.unet, inputs: [...folder.layout.unet.inputs, ...further] },
    controls,
    imageEncoder: {
      tokens: 2,
      image_size: 2,
      image_mean: [0.5, 0.4, 0.3],
      image_std: [0.5, 0.25, 0.2],
      layers: ['down_blocks.0', 'mid_block'],
      graph,
      pixels: port('pixel_values', ['b', 3, 2, 2]),
      imageTokens: port('image_tokens', ['b', 2, 4]),
      negativeTokens: port('negative_image_tokens', ['b', 2, 4]),
      width: 4,
    },
    bank: [{ name: 'mid_block', divisor: 2, width: 3, output: port('bank_0_out', ['b', 2, 'p', 3]) }],
  };
  const offered = controls.map(({ name }) => ({ name, preprocessor: null, preprocessors: [] }));
  return {
    ...folder,
    controls: offered,
    maskPreprocessors: ['person'],
    styleImageSide: 2,
    hasAttentionBank: true,
    layout: { ...folder.layout, steered },
  };
}
