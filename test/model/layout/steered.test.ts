import assert from 'node:assert/strict';
import { mkdir, rm } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import type { SteeredLayout } from '../../../src/model/layout/steered.js';
import { ModelError } from '../../../src/model/model-error.js';
import { layoutFolder } from '../../support/layouts.js';
import { randomGraph, writePreprocessor } from '../../support/preprocessor-model.js';
import { ModelCopy } from '../model-copy.js';
import { change, float32, int64, map, textWidth, wholeParts, write, type Parts } from './steered-parts.js';

/** Reads a model with these parts. */
async function layoutOf(parts: Parts): Promise<SteeredLayout | null> {
  await using copy = await ModelCopy.create(layoutFolder('optimum'));
  await write(copy, parts);
  return (await readModelFolder(copy.folder)).layout.steered;
}

const unet = 'unet_steered/model.onnx';

/** The fault, the change that makes it, the file in the error, the error message. */
const faults: readonly [string, (parts: Parts) => void, string, RegExp][] = [
  [
    'a control has no graph',
    ({ graphs }) => graphs.delete('controls/canny'),
    'controls/canny/model.onnx',
    /no such file; download the folder controls\/canny too, or export the model again/,
  ],
  [
    'a control is not described',
    ({ graphs }) => graphs.set('controls/pose', graphs.get('controls/canny')!),
    'controls/pose',
    /unet_steered was exported with canny, sketch, not with pose; export the model again/,
  ],
  [
    'two controls have one name',
    ({ config }) => (config.controls[1] = { ...config.controls[1], name: 'canny' }),
    'unet_steered/config.json',
    /names the control canny twice/,
  ],
  [
    'a control has a name that no folder may have',
    ({ config }) => (config.controls[1] = { ...config.controls[1], name: '../x' }),
    'unet_steered/config.json',
    /field controls\.1\.name must match pattern/,
  ],
  [
    'a ControlNet has several features',
    ({ config }) => (config.controls[1] = { ...config.controls[1], type: 'controlnet' }),
    'unet_steered/config.json',
    /the ControlNet sketch has 2 features.*export it again/,
  ],
  [
    'a control is for another base: its features have other channels',
    (parts) => change(parts, 'controls/canny', 'feature_0', { shape: map(320) }),
    'controls/canny/model.onnx',
    /"feature_0" has the shape \[batch, 320, h, w\], where .*config\.json requires 4, not 320/,
  ],
  [
    'the U-Net takes features with other channels',
    (parts) => change(parts, 'unet_steered', 'control_1_feature_1', { shape: map(16) }),
    unet,
    /"control_1_feature_1" has the shape .* where config\.json beside it requires 8, not 16/,
  ],
  [
    'a control gives more than is described',
    ({ graphs }) => graphs.get('controls/canny')!.outputs.push(['feature_1', float32, map(4)]),
    'controls/canny/model.onnx',
    /has 2 outputs, where .* describes 1; export both together/,
  ],
  [
    'a control gives less than is described',
    (parts) => change(parts, 'controls/sketch', 'feature_1', null),
    'controls/sketch/model.onnx',
    /no output "feature_1"; it has feature_0/,
  ],
  [
    'the U-Net lacks an input that is described',
    (parts) => change(parts, 'unet_steered', 'control_1_scale', null),
    unet,
    /no input "control_1_scale"; it has sample, /,
  ],
  [
    'the U-Net has an input that is not described',
    ({ config }) => (config.attention_bank = null),
    unet,
    /has the input "bank_0", which .*config\.json does not describe; export both together/,
  ],
  [
    'a scale is an integer',
    (parts) => change(parts, 'unet_steered', 'control_0_scale', { type: int64 }),
    unet,
    /"control_0_scale" is of type int64, not float32 or float16/,
  ],
  [
    'the adapter is for another width of text',
    (parts) => change(parts, 'unet_steered', 'image_tokens', { shape: ['batch', 4, 2048] }),
    unet,
    /"image_tokens" has the shape .* where .*unet.config\.json requires 16, not 2048/,
  ],
  [
    'the image encoder gives another number of tokens',
    (parts) => change(parts, 'image_encoder', 'negative_image_tokens', { shape: ['batch', 16, textWidth] }),
    'image_encoder/model.onnx',
    /"negative_image_tokens" has the shape .* requires 4, not 16/,
  ],
  [
    'the image encoder gives tokens of another width than the U-Net takes',
    (parts) => change(parts, 'image_encoder', 'image_tokens', { shape: ['batch', 4, 768] }),
    'image_encoder/model.onnx',
    /"image_tokens" has the shape \[batch, 4, 768\], where .*config\.json requires 16, not 768/,
  ],
  [
    'there is no image encoder',
    ({ graphs }) => graphs.delete('image_encoder'),
    'image_encoder/model.onnx',
    /no such file; download the folder image_encoder too/,
  ],
  [
    'the adapter has scales for other layers',
    (parts) => change(parts, 'unet_steered', 'ip_adapter_scale', { shape: ['batch', 16] }),
    unet,
    /"ip_adapter_scale" has the shape \[batch, 16\], .* requires 3, not 16/,
  ],
  [
    'a layer of the bank has another width',
    (parts) => change(parts, 'unet_steered', 'bank_0', { shape: ['batch', 'slots', 2, 'positions', 320] }),
    unet,
    /"bank_0" has the shape .* requires 8, not 320/,
  ],
  [
    'the U-Net does not give what the bank keeps',
    (parts) => change(parts, 'unet_steered', 'bank_0_out', null),
    unet,
    /no output "bank_0_out"; it has out_sample/,
  ],
  [
    'the steered U-Net is of another model',
    (parts) => change(parts, 'unet_steered', 'encoder_hidden_states', { shape: ['batch', 77, 1024] }),
    unet,
    /"encoder_hidden_states" has the shape .* where .*unet.config\.json requires 16, not 1024/,
  ],
  ['the steered U-Net has no graph', ({ graphs }) => graphs.delete('unet_steered'), unet, /no such file/],
  [
    'controls take pictures of one size, and the U-Net those of another',
    (parts) => {
      change(parts, 'controls/canny', 'image', { shape: ['batch', 3, 64, 64] });
      change(parts, 'controls/sketch', 'image', { shape: ['batch', 3, 96, 64] });
    },
    'controls/sketch/model.onnx',
    /is made for pictures of height 96, but .*canny.* for 64/,
  ],
];

describe('a steered U-Net', () => {
  it('has inputs for features, scales, tokens and the bank, of the shapes in its configuration', async () => {
    const layout = await layoutOf(wholeParts());
    assert.ok(layout);
    const call = { rows: 3, timesteps: 3, tokens: 77, height: 7, width: 9, slots: 2 };
    assert.deepEqual(
      layout.unet.inputs
        .slice(3)
        .map((input) => [input.port.name, input.optional, input.scales, input.shape(call)]),
      [
        ['control_0_feature_0', 'whole', undefined, [3, 4, 7, 9]],
        ['control_0_scale', 'whole', 'control_0_feature_0', [3]],
        ['control_1_feature_0', 'whole', undefined, [3, 4, 7, 9]],
        ['control_1_feature_1', 'whole', undefined, [3, 8, 4, 5]],
        ['control_1_scale', 'whole', 'control_1_feature_0', [3]],
        ['image_tokens', 'whole', undefined, [3, 4, 16]],
        ['ip_adapter_scale', 'whole', 'image_tokens', [3, 3]],
        ['bank_0', 'part', undefined, [3, 2, 2, 20, 8]],
        ['bank_mask', 'part', undefined, [3, 2]],
      ],
    );
    assert.deepEqual(
      layout.controls.map(({ name, type, preprocessor, scale, features }) => [
        name,
        type,
        preprocessor,
        scale,
        features.length,
      ]),
      [
        ['canny', 'controlnet', 'canny', 'control_0_scale', 1],
        ['sketch', 't2i_adapter', null, 'control_1_scale', 2],
      ],
    );
    assert.equal(layout.imageEncoder?.width, textWidth);
    assert.deepEqual(
      layout.bank?.map(({ divisor, width, output }) => [divisor, width, output.name]),
      [[2, 8, 'bank_0_out']],
    );
  });

  it('may have any part alone', async () => {
    const parts = wholeParts();
    const { config, graphs } = parts;
    config.ip_adapter = null;
    config.attention_bank = null;
    graphs.delete('image_encoder');
    for (const name of ['image_tokens', 'ip_adapter_scale', 'bank_0', 'bank_mask', 'bank_0_out']) {
      change(parts, 'unet_steered', name, null);
    }
    const layout = await layoutOf(parts);
    assert.equal(layout?.controls.length, 2);
    assert.deepEqual([layout.imageEncoder, layout.bank], [null, null]);
  });

  it('offers its controls to streams, with the preprocessors of the folder', async () => {
    await using copy = await ModelCopy.create(layoutFolder('optimum'));
    assert.deepEqual((await readModelFolder(copy.folder)).controls, []);
    await write(copy, wholeParts());
    await writePreprocessor(copy.folder, 'lines', randomGraph(1).graph, {
      title: 'Lines',
      output: { kind: 'picture' },
    });
    assert.deepEqual((await readModelFolder(copy.folder)).controls, [
      { name: 'canny', preprocessor: 'canny', preprocessors: ['lines'] },
      { name: 'sketch', preprocessor: null, preprocessors: ['lines'] },
    ]);
  });

  it('is not required, whatever image encoder a folder has', async () => {
    const { graphs } = wholeParts();
    await using copy = await ModelCopy.create(layoutFolder('optimum'));
    await write(copy, { config: { controls: [], ip_adapter: null, attention_bank: null }, graphs });
    await rm(join(copy.folder, 'unet_steered'), { recursive: true });
    assert.equal((await readModelFolder(copy.folder)).layout.steered, null);
  });

  for (const [fault, make, file, message] of faults) {
    it(`is refused if ${fault}`, async () => {
      const parts = wholeParts();
      make(parts);
      await using copy = await ModelCopy.create(layoutFolder('optimum'));
      if (!parts.graphs.has('unet_steered')) await mkdir(join(copy.folder, 'unet_steered'));
      await write(copy, parts);
      await assert.rejects(readModelFolder(copy.folder), (error) => {
        assert.ok(error instanceof ModelError);
        assert.equal(error.path, join(copy.folder, file), `${basename(error.path)}: ${error.message}`);
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
