import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { readSignature, type Signature } from '../../../src/model/onnx/signature.js';
import { ModelError } from '../../../src/model/model-error.js';
import { layoutFolder } from '../../support/layouts.js';
import { onnxGraph } from '../../support/onnx-graph.js';

const [float32, int64, float16] = [1, 7, 10];
let folder: string;
before(async () => (folder = await mkdtemp(join(tmpdir(), 'millrace-onnx-'))));
after(() => rm(folder, { recursive: true }));

async function read(bytes: Buffer): Promise<Signature> {
  const file = join(folder, 'model.onnx');
  await writeFile(file, bytes);
  return readSignature(file);
}

describe('readSignature', () => {
  it('reads inputs, outputs and weight files, but not the weights', async () => {
    const signature = await read(
      onnxGraph({
        inputs: [
          ['sample', float16, ['batch', 4, -1, 'width']],
          ['timestep', int64, []],
          ['old', float32, [4, 4]],
        ],
        outputs: [['out_sample', float16, [2, 4, 300, 70000]]],
        weights: [
          ['old', float32, [4, 4], null],
          ['a', float16, [320, 320], 'model.onnx_data'],
          ['b', float16, [320, 320], 'model.onnx_data', [204_800, 204_800]],
          ['bias', float32, [320], 'other/weights.pb'],
          ['shift', float32, [1], null],
        ],
      }),
    );
    assert.deepEqual(signature, {
      inputs: [
        { name: 'sample', type: 'float16', shape: ['batch', 4, '', 'width'] },
        { name: 'timestep', type: 'int64', shape: [] },
      ],
      outputs: [{ name: 'out_sample', type: 'float16', shape: [2, 4, 300, 70000] }],
      weightFiles: ['model.onnx_data', 'other/weights.pb'],
      weightBytes: { 'model.onnx_data': 409_600, 'other/weights.pb': 0 },
      weightType: 'float16',
    });
  });

  it('reads a real export', () => {
    const { inputs, outputs } = readSignature(join(layoutFolder('sdxl'), 'unet/model.onnx'));
    assert.deepEqual(
      inputs.map(({ name, type, shape }) => `${name} ${type} [${shape.join(', ')}]`),
      [
        'sample float32 [batch_size, 4, height, width]',
        'timestep int64 [batch_size]',
        'encoder_hidden_states float32 [batch_size, sequence_length, 40]',
        'text_embeds float32 [batch_size, 24]',
        'time_ids float32 [batch_size, 6]',
      ],
    );
    assert.deepEqual(
      outputs.map(({ name }) => name),
      ['out_sample'],
    );
  });

  it('refuses a file that is not a graph, and a graph truncated anywhere', async () => {
    const whole = onnxGraph({
      inputs: [['sample', float32, ['batch', 4]]],
      outputs: [['out_sample', float32, [1]]],
      weights: [['a', float32, [2, 2], null]],
    });
    const graphStart = whole.indexOf('by hand') + 'by hand'.length;
    const cuts = Array.from({ length: whole.length - graphStart }, (_, i) =>
      whole.subarray(0, graphStart + i),
    );
    const others = [Buffer.from('{"not": "onnx"}'), Buffer.alloc(100), Buffer.alloc(100, 0xff)];
    for (const bytes of [...cuts, ...others]) {
      await assert.rejects(read(bytes), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, /model\.onnx: .*download the model again$/);
        return true;
      });
    }
  });
});
