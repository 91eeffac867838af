import assert from 'node:assert/strict';
import { rename, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import { ModelError } from '../../../src/model/model-error.js';
import { layoutFolder, type LayoutName } from '../../support/layouts.js';
import { onnxGraph, type GraphParts, type GraphPort } from '../../support/onnx-graph.js';
import { ModelCopy } from '../model-copy.js';

const [float32, uint8, int64, float64] = [1, 2, 7, 11];
const picture = ['batch', 3, 'height', 'width'] as const;
const latent = ['batch', 4, 'height', 'width'] as const;

async function replace(copy: ModelCopy, file: string, parts: GraphParts): Promise<void> {
  await copy.remove(file);
  await writeFile(join(copy.folder, file), onnxGraph(parts));
}

function unetWith(...changes: readonly GraphPort[]): GraphParts {
  const inputs: GraphPort[] = [
    ['sample', float32, latent],
    ['timestep', int64, ['batch']],
    ['encoder_hidden_states', float32, ['batch', 77, 16]],
  ];
  const kept = inputs.filter(([name]) => !changes.some(([changed]) => changed === name));
  return { inputs: [...kept, ...changes], outputs: [['out_sample', float32, latent]] };
}

/** The fault, the model, the change to it, the file in the error, the error message. */
const faults: readonly [string, LayoutName, (copy: ModelCopy) => Promise<void>, string, RegExp][] = [
  [
    'weights outside the graph are missing',
    'optimum-onnx',
    (copy) => copy.remove('unet/model.onnx_data'),
    'unet/model.onnx_data',
    /no such file; download the model again/,
  ],
  [
    'weights outside the graph were left in Git LFS',
    'optimum-onnx',
    (copy) => copy.write('vae_decoder/model.onnx_data', 'version https://git-lfs.github.com/spec/v1\n'),
    'vae_decoder/model.onnx_data',
    /a Git LFS pointer/,
  ],
  [
    'a graph that is not a graph',
    'optimum',
    (copy) => copy.write('unet/model.onnx', '<html>404</html>'),
    'unet/model.onnx',
    /not an ONNX graph, or only a part of one/,
  ],
  [
    'an unknown input',
    'optimum',
    (copy) => replace(copy, 'unet/model.onnx', unetWith(['class_labels', int64, ['batch']])),
    'unet/model.onnx',
    /needs an input "class_labels", which is not known here; use a plain/,
  ],
  [
    'a missing input',
    'optimum',
    (copy) =>
      replace(copy, 'unet/model.onnx', {
        inputs: [['latents', float32, latent]],
        outputs: [['out_sample', float32, latent]],
      }),
    'unet/model.onnx',
    /no input "sample"; it has latents/,
  ],
  [
    'an unsupported type',
    'optimum',
    (copy) => replace(copy, 'unet/model.onnx', unetWith(['timestep', float64, ['batch']])),
    'unet/model.onnx',
    /"timestep" is of type float64, not float32, float16, int64, int32/,
  ],
  [
    'timesteps in rows and columns',
    'optimum',
    (copy) => replace(copy, 'unet/model.onnx', unetWith(['timestep', int64, ['batch', 1]])),
    'unet/model.onnx',
    /timestep has the shape \[batch, 1\]/,
  ],
  [
    'a U-Net for more channels than the VAE has',
    'optimum',
    (copy) => replace(copy, 'unet/model.onnx', unetWith(['sample', float32, ['batch', 9, 'h', 'w']])),
    'unet/model.onnx',
    /"sample" has the shape \[batch, 9, h, w\], where config\.json beside it requires 4, not 9/,
  ],
  [
    'a U-Net for the text encoder of another model',
    'optimum',
    (copy) =>
      replace(copy, 'unet/model.onnx', unetWith(['encoder_hidden_states', float32, ['batch', 77, 1024]])),
    'unet/model.onnx',
    /"encoder_hidden_states" has the shape .* requires 16, not 1024/,
  ],
  [
    'a VAE encoder of other latents',
    'optimum',
    (copy) =>
      replace(copy, 'vae_encoder/model.onnx', {
        inputs: [['sample', float32, picture]],
        outputs: [['latent_sample', float32, ['batch', 16, 'h', 'w']]],
      }),
    'vae_encoder/model.onnx',
    /its output has 16 channels, but the configuration of the VAE requires 4/,
  ],
  [
    'a VAE decoder of other latents',
    'optimum',
    (copy) =>
      replace(copy, 'vae_decoder/model.onnx', {
        inputs: [['latent_sample', float32, ['batch', 16, 'h', 'w']]],
        outputs: [['sample', float32, picture]],
      }),
    'vae_decoder/model.onnx',
    /its input has 16 channels/,
  ],
  [
    'a VAE that takes bytes as planes',
    'optimum',
    (copy) =>
      replace(copy, 'vae_encoder/model.onnx', {
        inputs: [['sample', uint8, picture]],
        outputs: [['latent_sample', float32, latent]],
      }),
    'vae_encoder/model.onnx',
    /"sample" has pictures as uint8 \[batch, 3, height, width\]; they must be uint8 \[n, height, width, 3\], or/,
  ],
  [
    'a VAE that gives floats with the channels last',
    'optimum',
    (copy) =>
      replace(copy, 'vae_decoder/model.onnx', {
        inputs: [['latent_sample', float32, latent]],
        outputs: [['sample', float32, ['batch', 64, 64, 3]]],
      }),
    'vae_decoder/model.onnx',
    /"sample" has pictures as float32 \[batch, 64, 64, 3\]; they must be/,
  ],
  [
    'a VAE that takes pictures as integers',
    'optimum',
    (copy) =>
      replace(copy, 'vae_encoder/model.onnx', {
        inputs: [['sample', int64, picture]],
        outputs: [['latent_sample', float32, latent]],
      }),
    'vae_encoder/model.onnx',
    /"sample" is of type int64, not uint8, float32, float16/,
  ],
  [
    'a VAE that gives bytes without their means',
    'optimum',
    (copy) =>
      replace(copy, 'vae_decoder/model.onnx', {
        inputs: [['latent_sample', float32, latent]],
        outputs: [['sample', uint8, ['batch', 'height', 'width', 3]]],
      }),
    'vae_decoder/model.onnx',
    /no output "sample_mean"; it has sample/,
  ],
  [
    'a VAE with two inputs',
    'optimum',
    (copy) =>
      replace(copy, 'vae_encoder/model.onnx', {
        inputs: [
          ['sample', float32, picture],
          ['seed', uint8, [1]],
        ],
        outputs: [['latent_sample', float32, latent]],
      }),
    'vae_encoder/model.onnx',
    /has the inputs sample, seed, but one is expected/,
  ],
  [
    'parts that are fixed to different sizes',
    'lcm',
    (copy) =>
      replace(copy, 'vae_decoder/model.onnx', {
        inputs: [['latent_sample', float32, [1, 4, 64, 32]]],
        outputs: [['sample', float32, [1, 3, 128, 64]]],
      }),
    'vae_decoder/model.onnx',
    /made for pictures of height 128, but .*unet.model\.onnx for 64; export both again/,
  ],
  [
    'a guidance embedding that the graph does not accept',
    'optimum',
    (copy) => copy.edit('unet/config.json', { time_cond_proj_dim: 256 }),
    'unet/model.onnx',
    /no input "timestep_cond"/,
  ],
  [
    'an SDXL without its second text encoder',
    'sdxl',
    (copy) => copy.remove('text_encoder_2'),
    'text_encoder_2/config.json',
    /no such file/,
  ],
  [
    'text encoders whose widths do not add up to that of the U-Net',
    'sdxl',
    (copy) => copy.edit('text_encoder_2/config.json', { hidden_size: 32 }),
    'unet/config.json',
    /cross_attention_dim is 40, but the text encoders together have 48 values per token/,
  ],
  [
    'an SDXL text encoder without hidden states',
    'sdxl',
    (copy) =>
      replace(copy, 'text_encoder/model.onnx', {
        inputs: [['input_ids', int64, ['batch', 77]]],
        outputs: [['last_hidden_state', float32, ['batch', 77, 16]]],
      }),
    'text_encoder/model.onnx',
    /no output "hidden_states\.1".*export the text encoder again with its hidden states/,
  ],
  [
    'an SDXL text encoder without a projection',
    'sdxl',
    (copy) =>
      replace(copy, 'text_encoder_2/model.onnx', {
        inputs: [['input_ids', int64, ['batch', 77]]],
        outputs: [['hidden_states.2', float32, ['batch', 77, 24]]],
      }),
    'text_encoder_2/model.onnx',
    /no output "text_embeds"/,
  ],
  [
    'an SDXL refiner, which takes five sizes',
    'sdxl',
    (copy) => copy.edit('unet/config.json', { projection_class_embeddings_input_dim: 24 + 5 * 8 }),
    'unet/config.json',
    /leaves 16 values for the prompt beside six sizes, but the text encoder gives 24; refiners/,
  ],
];

describe('readModelFolder on an unusable export', () => {
  for (const [what, base, spoil, file, message] of faults) {
    it(`names the file and what is wrong: ${what}`, async () => {
      await using copy = await ModelCopy.create(layoutFolder(base));
      await spoil(copy);
      await assert.rejects(readModelFolder(copy.folder), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.equal(error.path, join(copy.folder, file));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }
});

describe('readModelFolder on exports of other kinds', () => {
  it('uses the only graph in a folder, whatever its name', async () => {
    await using copy = await ModelCopy.create(layoutFolder('optimum'));
    await rename(join(copy.folder, 'unet/model.onnx'), join(copy.folder, 'unet/model_fp16.onnx'));
    const { layout } = await readModelFolder(copy.folder);
    assert.equal(basename(layout.unet.graph.file), 'model_fp16.onnx');
  });

  it('defaults to the only exported size, and to the guidance of a full LCM', async () => {
    const { defaults } = await readModelFolder(layoutFolder('lcm'));
    assert.deepEqual(defaults, { width: 64, height: 64, cfg_type: 'none', guidance_scale: 8.5 });
  });

  it('reads -Infinity, which diffusers writes into scheduler files, and text that looks like it', async () => {
    await using copy = await ModelCopy.create(layoutFolder('optimum'));
    const text =
      '{"_class_name": "DDIMScheduler", "lambda_min_clipped": -Infinity, "a": [NaN, Infinity], "note": "Infinity, \\"-Infinity\\"", "b": 1}';
    await copy.write('scheduler/scheduler_config.json', text);
    const { scheduler } = await readModelFolder(copy.folder);
    const { lambda_min_clipped: least, a, note, b } = scheduler;
    assert.deepEqual([least, a, note, b], [-Infinity, [null, Infinity], 'Infinity, "-Infinity"', 1]);
  });
});
