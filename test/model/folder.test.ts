import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { basename, isAbsolute, join } from 'node:path';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { readModelFolder } from '../../src/model/folder.js';
import { ModelError } from '../../src/model/model-error.js';
import { referenceModel } from '../support/reference.js';
import { embeddedModel, ModelCopy } from './model-copy.js';

describe('readModelFolder', () => {
  it('reads the embedded model', async () => {
    const model = await readModelFolder(embeddedModel);
    const { name, latentChannels, scalingFactor, shiftFactor, predictionType } = model;
    assert.deepEqual(
      { name, latentChannels, scalingFactor, shiftFactor, predictionType },
      {
        name: 'millrace-styles',
        latentChannels: 4,
        scalingFactor: 32,
        shiftFactor: 0,
        predictionType: 'sample',
      },
    );
    assert.deepEqual([model.pixelFactor, model.sizeFactor, model.networkFactor], [4, 8, 32]);
    assert.deepEqual([model.textLength, model.textWidth], [77, 96]);
    assert.equal(model.scheduler['beta_schedule'], 'scaled_linear');
    const { unet, vaeEncoder, vaeDecoder, textEncoders } = model.layout;
    const graphs = [unet, vaeEncoder, vaeDecoder, ...textEncoders].map(({ graph }) => graph.file);
    assert.equal(graphs.length, 4);
    for (const path of [...graphs, ...model.tokenizers.map((tokenizer) => tokenizer.folder)])
      assert.ok(isAbsolute(path));
    assert.equal(basename(unet.graph.file), 'model.onnx');
  });

  it('names a prompt for every style and mood that the embedded model can tell', async () => {
    const { styles, moods, promptGroups = [] } = await readModelFolder(embeddedModel);
    const [inPrompts, inColours] = promptGroups.map(({ names }) => names.length);
    // One of the styles, "golden hour", is a mood.
    assert.deepEqual([styles.length, moods.length], [(inPrompts ?? 0) + 1, inColours]);
    const all = [...styles, ...moods];
    assert.equal(new Set(all.map(({ prompt }) => prompt)).size, all.length);
    assert.equal(new Set(all.map(({ name }) => name)).size, all.length);
    assert.ok(all.every(({ description = '' }) => description.length > 5));
  });

  it('returns one-click styles and complete default parameters for the embedded model', async () => {
    const { defaults, styles, sizeFactor, description } = await readModelFolder(embeddedModel);
    assert.ok(description.length > 20);
    assert.ok(styles.length >= 8);
    assert.equal(new Set(styles.map(({ prompt }) => prompt)).size, styles.length);
    const parameters = defaultParameters({ defaults, sizeFactor });
    // The timestep at which a single step of this model works best.
    assert.equal(Math.round((1 - parameters.strength) * parameters.num_inference_steps), 25);
    assert.deepEqual([parameters.width, parameters.height, parameters.steps], [256, 256, 1]);
    assert.ok(styles.some(({ prompt }) => prompt === parameters.prompt));
  });

  it('reads the reference model, whose defaults come from its configuration', async () => {
    const model = await readModelFolder(referenceModel());
    assert.equal(model.predictionType, 'epsilon');
    assert.deepEqual([model.pixelFactor, model.sizeFactor, model.networkFactor], [8, 8, 16]);
    assert.deepEqual(model.defaults, { width: 64, height: 64 });
    assert.deepEqual(model.styles, []);
    assert.equal(model.description, '');
  });

  it("fills in fields that older files of Stable Diffusion's autoencoder omit", async () => {
    await using copy = await ModelCopy.create();
    const vae = {
      _class_name: 'AutoencoderKL',
      block_out_channels: [128, 256, 512, 512],
      latent_channels: 4,
    };
    await copy.write('vae/config.json', JSON.stringify(vae));
    const model = await readModelFolder(copy.folder);
    assert.deepEqual([model.scalingFactor, model.shiftFactor, model.pixelFactor], [0.18215, 0, 8]);
    assert.deepEqual([model.sizeFactor, model.networkFactor], [8, 64]);

    await copy.write('vae/config.json', JSON.stringify({ ...vae, scaling_factor: 0.36, shift_factor: 0.11 }));
    const newer = await readModelFolder(copy.folder);
    assert.deepEqual([newer.scalingFactor, newer.shiftFactor], [0.36, 0.11]);
  });

  it("finds the autoencoder's configuration where exporters put it", async () => {
    await using copy = await ModelCopy.create();
    const vae = await readFile(join(copy.folder, 'vae/config.json'), 'utf8');
    await copy.remove('vae');
    await copy.write('vae_decoder/config.json', vae);
    assert.equal((await readModelFolder(copy.folder)).pixelFactor, 4);
  });
});

/** The fault, the change to the model, the file in the error, the error message. */
const faults: readonly [string, (copy: ModelCopy) => Promise<void>, string, RegExp][] = [
  ['no index', (copy) => copy.remove('model_index.json'), 'model_index.json', /no such file; download/],
  ['no U-Net', (copy) => copy.remove('unet'), 'unet/config.json', /no such file/],
  ['no VAE configuration', (copy) => copy.remove('vae'), 'vae/config.json', /no such file/],
  ['no scheduler', (copy) => copy.remove('scheduler'), 'scheduler/scheduler_config.json', /no such file/],
  ['no weights', (copy) => copy.remove('vae_encoder'), 'vae_encoder/model.onnx', /no such file/],
  ['empty weights', (copy) => copy.write('unet/model.onnx', ''), 'unet/model.onnx', /the file is empty/],
  [
    'weights left in Git LFS',
    (copy) =>
      copy.write('vae_decoder/model.onnx', 'version https://git-lfs.github.com/spec/v1\noid sha256:0'),
    'vae_decoder/model.onnx',
    /Git LFS pointer, not the weights; run "git lfs pull"/,
  ],
  ['broken JSON', (copy) => copy.write('unet/config.json', '{"in_'), 'unet/config.json', /not valid JSON/],
  ['other JSON', (copy) => copy.write('model_index.json', '[]'), 'model_index.json', /must be object/],
  [
    'a missing field',
    (copy) => copy.edit('unet/config.json', { in_channels: undefined }),
    'unet/config.json',
    /must have required property 'in_channels'/,
  ],
  [
    'a missing field of this class of VAE',
    (copy) => copy.edit('vae/config.json', { encoder_block_out_channels: undefined }),
    'vae/config.json',
    /must have required property 'encoder_block_out_channels'/,
  ],
  [
    'a field of the wrong type',
    (copy) => copy.edit('text_encoder/config.json', { hidden_size: '96' }),
    'text_encoder/config.json',
    /field hidden_size must be integer/,
  ],
  [
    'an unknown class of VAE',
    (copy) => copy.edit('vae/config.json', { _class_name: 'VQModel' }),
    'vae/config.json',
    /field _class_name must be equal to one of the allowed values: \["AutoencoderKL","AutoencoderTiny"\]/,
  ],
  [
    'an unknown prediction type',
    (copy) => copy.edit('scheduler/scheduler_config.json', { prediction_type: 'score' }),
    'scheduler/scheduler_config.json',
    /field prediction_type must be equal to one of the allowed values: \["epsilon"/,
  ],
  [
    'an inpainting U-Net',
    (copy) => copy.edit('unet/config.json', { in_channels: 9 }),
    'unet/config.json',
    /in_channels is 9, but the VAE has 4 latent channels/,
  ],
  [
    'a text encoder of another model',
    (copy) => copy.edit('text_encoder/config.json', { hidden_size: 768 }),
    'unet/config.json',
    /cross_attention_dim is 96, but the text encoder has 768 values per token/,
  ],
  [
    'a default out of range',
    (copy) => copy.edit('millrace.json', { defaults: { strength: 1.5 } }),
    'millrace.json',
    /field defaults.strength must be <= 1/,
  ],
  [
    'a default size that the model cannot take',
    (copy) => copy.edit('millrace.json', { defaults: { width: 260 } }),
    'millrace.json',
    /field defaults.width must be multiple of 8/,
  ],
  [
    'a style without a prompt',
    (copy) => copy.edit('millrace.json', { styles: [{ name: 'Oil' }] }),
    'millrace.json',
    /field styles.0 must have required property 'prompt'/,
  ],
  [
    'a mood with a strength above 1',
    (copy) => copy.edit('millrace.json', { moods: [{ name: 'Warm', prompt: 'warm', strength: 2 }] }),
    'millrace.json',
    /field moods.0.strength must be <= 1/,
  ],
  [
    'an unknown setting',
    (copy) => copy.edit('millrace.json', { stiles: [] }),
    'millrace.json',
    /must NOT have additional properties/,
  ],
];

describe('readModelFolder on a broken folder', () => {
  it('reports a missing folder', async () => {
    await assert.rejects(readModelFolder(join(embeddedModel, 'nowhere')), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /nowhere: no such folder; give the path of a model folder/);
      return true;
    });
  });

  for (const [what, spoil, file, message] of faults) {
    it(`names the file and what is wrong: ${what}`, async () => {
      await using copy = await ModelCopy.create();
      await spoil(copy);
      await assert.rejects(readModelFolder(copy.folder), (error) => {
        assert.ok(error instanceof ModelError);
        assert.equal(error.path, join(copy.folder, file));
        assert.ok(error.message.startsWith(`${error.path}: `));
        assert.match(error.message, message);
        assert.doesNotMatch(error.message, /\n/);
        return true;
      });
    });
  }
});
