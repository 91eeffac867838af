import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import type { Row } from '../../../../src/diffusion/stream.js';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { blankRow, Unet } from '../../../../src/engine/worker/networks/unet.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { readGraphFile } from '../../../../src/model/layout/graph-file.js';
import { inputPort } from '../../../../src/model/layout/ports.js';
import { unetLayout, type UnetInput } from '../../../../src/model/layout/unet.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { tinyModel } from '../../../support/engine.js';
import { onnxGraph } from '../../../support/onnx-graph.js';
import { unetConfig } from '../../../support/unet-config.js';

const name = 'mid_block_additional_residual';
const [float32, int64] = [1, 7];
const [channels, tokens, textWidth] = [2, 1, 3];
const latent = ['batch', channels, 'height', 'width'] as const;

const folder = await mkdtemp(join(tmpdir(), 'millrace-input-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'unet.onnx');
await writeFile(
  file,
  onnxGraph({
    inputs: [
      ['sample', float32, latent],
      ['timestep', int64, ['batch']],
      ['encoder_hidden_states', float32, ['batch', tokens, textWidth]],
      [name, float32, latent],
    ],
    outputs: [['out_sample', float32, latent]],
    nodes: [['Sub', ['sample', name], 'out_sample']],
  }),
);
const graph = await readGraphFile(file);
const config = unetConfig({ channels, textWidth });

/** Returns a row of 100 times its number, and residuals of a number. */
function row(number: number, residual: number): Row {
  const values = (value: number): Float32Array => new Float32Array(channels * 2 * 3).fill(value);
  return {
    role: 'positive',
    stage: { timestep: number, a: 1, b: 1, inputScale: 1 },
    input: values(100 * number),
    conditioning: {
      encoder_hidden_states: new Float32Array(tokens * textWidth),
      [name]: values(residual),
    },
  };
}

describe('a further input of an exported U-Net', () => {
  it('is refused by name while no entry of the layout describes it', () => {
    assert.throws(
      () => unetLayout(graph, config, 'config.json'),
      (error) =>
        error instanceof ModelError &&
        /the graph needs an input "mid_block_additional_residual", which is not known/.test(error.message),
    );
  });

  it('gets the values of each row from the conditioning of its name, by an entry alone', async () => {
    const known = { ...graph, inputs: graph.inputs.filter((input) => input.name !== name) };
    const entry: UnetInput = {
      port: inputPort(graph, name),
      from: 'conditioning',
      shape: ({ rows, height, width }) => [rows, channels, height, width],
    };
    const layout = unetLayout(known, config, 'config.json');
    const tiny = await readModelFolder(tinyModel);
    await using part = await OnnxPart.load(file, {});
    const model = {
      ...tiny,
      textWidth,
      textLength: tokens,
      latentChannels: channels,
      layout: { ...tiny.layout, unet: { ...layout, inputs: [...layout.inputs, entry] } },
    };
    const unet = await Unet.create(model, part);
    for (const residual of [2, 0]) {
      const rows = [row(1, 1), row(2, residual), row(3, 3)];
      const predictions = await unet.predict(rows, [channels, 2, 3]);
      const first = predictions.map(([value]) => value);
      assert.deepEqual(first, [99, 200 - residual, 297]);
      for (const [i, prediction] of predictions.entries()) {
        assert.ok(prediction.every((value) => value === first[i]));
      }
    }
    const size = [channels, 2, 3] as const;
    const { encoder_hidden_states, [name]: residual } = blankRow(model, size, 500).conditioning;
    assert.deepEqual(residual, new Float32Array(channels * 2 * 3), 'a blank row has it too');
    const without = { ...row(1, 1), conditioning: { encoder_hidden_states } };
    await assert.rejects(unet.predict([without], size), {
      name: 'RangeError',
      message: `${name}: a row has no values for this input`,
    });
  });
});
