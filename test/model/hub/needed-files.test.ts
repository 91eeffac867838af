import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkFiles, neededFiles } from '../../../src/model/hub/needed-files.js';

function needed(text: string): readonly string[] {
  return neededFiles(
    text
      .trim()
      .split(/\s+/)
      .map((path) => ({ path })),
  ).map(({ path }) => path);
}

const common = `model_index.json scheduler/scheduler_config.json tokenizer/merges.txt tokenizer/vocab.json
  tokenizer/tokenizer_config.json tokenizer/special_tokens_map.json text_encoder/config.json unet/config.json
  vae_encoder/config.json vae_decoder/config.json`;
const commonPaths = common.split(/\s+/);

describe('neededFiles', () => {
  it('returns graphs and their configuration, and no other formats, graphs or folders', () => {
    const paths = needed(`${common} .gitattributes README.md sd.safetensors
      text_encoder/model.onnx text_encoder/model.safetensors text_encoder/pytorch_model.bin
      unet/model.onnx unet/diffusion_pytorch_model.fp16.safetensors
      unet/diffusion_pytorch_model.safetensors.index.json unet/openvino_model.xml unet/openvino_model.bin
      vae_encoder/model.onnx vae_decoder/model.onnx vae_decoder/deeper/model.onnx
      safety_checker/model.onnx safety_checker/config.json feature_extractor/preprocessor_config.json`);
    const graphs = ['text_encoder/model.onnx', 'unet/model.onnx'];
    assert.deepEqual(paths, [...commonPaths, ...graphs, 'vae_encoder/model.onnx', 'vae_decoder/model.onnx']);
    checkFiles(paths, 'a/b');
  });

  it('returns one of several graphs: the one with the usual name, or the only one', () => {
    assert.deepEqual(needed('unet/model.onnx unet/model_fp16.onnx unet/model_q4.onnx'), ['unet/model.onnx']);
    assert.deepEqual(needed('unet/model_fp16.onnx'), ['unet/model_fp16.onnx']);
    assert.deepEqual(needed('unet/model_fp16.onnx unet/model_q4.onnx unet/config.json'), [
      'unet/config.json',
    ]);
  });

  it('also returns the 8-bit graph of parts that can run in 8 bits', () => {
    const both = ['unet/model.onnx', 'unet/model_int8.onnx'];
    assert.deepEqual(needed(both.join(' ')), both);
    const text = 'text_encoder/model.onnx text_encoder/model_int8.onnx';
    assert.deepEqual(needed(text), ['text_encoder/model.onnx']);
    assert.deepEqual(needed('unet/model_fp16.onnx unet/model_int8.onnx'), [
      'unet/model_fp16.onnx',
      'unet/model_int8.onnx',
    ]);
  });

  it('returns the small graphs that compute inputs of a U-Net', () => {
    const files = ['unet/model.onnx', 'unet_keys/model.onnx', 'unet_time/model.onnx'];
    assert.deepEqual(needed(`${files.join(' ')} unet_keys/model.bin`), files);
  });

  it('returns what steers a U-Net: its graph, those of its controls and the image encoder', () => {
    const around = ['controls/canny/model.onnx', 'image_encoder/model.onnx'];
    const files = ['unet_steered/model.onnx', 'unet_steered/config.json', ...around];
    const others =
      'controls/canny/a/model.onnx controls/A/model.onnx image_encoder/config.json image_encoder/model.bin';
    assert.deepEqual(needed(`${files.join(' ')} ${others}`), files);
    assert.deepEqual(needed(around.join(' ')), [], 'other models may have them too');
  });

  it('returns the graphs of preprocessors and their configuration', () => {
    const files = ['preprocessors/depth/model.onnx', 'preprocessors/depth/config.json'];
    const others = 'preprocessors/depth/a/model.onnx preprocessors/../model.onnx preprocessors/A/model.onnx';
    assert.deepEqual(needed(`${files.join(' ')} preprocessors/depth/model.bin ${others}`), files);
  });

  it('ignores names that lead out of their folder', () => {
    assert.deepEqual(needed(String.raw`unet/model.onnx ../config.json unet/.. unet/a\..\b C:/config.json`), [
      'unet/model.onnx',
    ]);
  });
});

describe('checkFiles', () => {
  it('names the part without a graph, including the second text encoder', () => {
    const graphs = ['text_encoder', 'unet', 'vae_encoder', 'vae_decoder'].map((part) => `${part}/model.onnx`);
    checkFiles(['model_index.json', ...graphs], 'a/b');
    const xl = ['model_index.json', ...graphs, 'text_encoder_2/config.json'];
    assert.throws(
      () => checkFiles(xl, 'a/b'),
      /^PullError: a\/b has no ONNX file in text_encoder_2; export it/,
    );
    assert.throws(
      () => checkFiles(['model_index.json'], 'a/b'),
      /a\/b has no ONNX files; export it in ops\/export/,
    );
    const two = ['unet/model_fp16.onnx', 'unet/model_fp32.onnx'];
    assert.throws(
      () =>
        checkFiles(['model_index.json', ...graphs.filter((path) => !path.startsWith('unet')), ...two], 'a/b'),
      /a\/b has several graphs in unet \(model_fp16.onnx, model_fp32.onnx\) and none .* model\.onnx/,
    );
  });

  it('names a kind of model that cannot run, and a checkpoint', () => {
    assert.throws(
      () => checkFiles(['model_index.json', 'transformer/config.json'], 'a/b'),
      /a\/b is a diffusion transformer \(Stable Diffusion 3, FLUX.*, which cannot be run here/,
    );
    assert.throws(
      () => checkFiles(['README.md', 'model.safetensors'], 'a/b'),
      /no model_index\.json; it has the checkpoint model\.safetensors: download that, and export it/,
    );
  });
});
