import { mkdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import type { Row } from '../../src/diffusion/stream.js';
import { ModelCopy } from '../model/model-copy.js';
import { tinyModel } from './engine.js';
import { onnxGraph, type GraphPort } from './onnx-graph.js';

const float32 = 1;
const picture = (name: string): GraphPort => [name, float32, ['batch', 3, 'height', 'width']];

/** What the output changes by with each timestep. */
const perTimestep = 0.004;
const [ofDifference, ofMean] = [1, 2].map((key) => new Gaussian(key).fill(new Float32Array(9)));

/**
 * Returns what the network predicts for a row: tanh(A (sample - mean) + B mean + c timestep), with random 3 x 3 matrices A
 * and B between colours. The published networks take the same, and the difference too.
 */
export function predictNoise({ input, stage, conditioning }: Row): Float32Array {
  const area = input.length / 3;
  const { mean } = conditioning;
  return input.map((_, i) => {
    const [channel, place] = [Math.floor(i / area), i % area];
    let sum = perTimestep * stage.timestep;
    for (let from = 0; from < 3; from++) {
      const at = from * area + place;
      sum +=
        ofDifference[3 * channel + from] * (input[at] - mean[at]) + ofMean[3 * channel + from] * mean[at];
    }
    return Math.tanh(sum);
  });
}

function networkGraph(textWidth: number): Buffer {
  return onnxGraph({
    inputs: [
      picture('sample'),
      ['timestep', float32, ['batch']],
      ['encoder_hidden_states', float32, ['batch', 'sequence', textWidth]],
      picture('mean'),
    ],
    outputs: [picture('out_sample')],
    constants: [
      ['ofDifference', [3, 3, 1, 1], [...ofDifference]],
      ['ofMean', [3, 3, 1, 1], [...ofMean]],
      ['perTimestep', [1], [perTimestep]],
      ['axes', [3], [1n, 2n, 3n]],
    ],
    nodes: [
      ['Sub', ['sample', 'mean'], 'difference'],
      ['Conv', ['difference', 'ofDifference'], 'first'],
      ['Conv', ['mean', 'ofMean'], 'second'],
      ['Add', ['first', 'second'], 'both'],
      ['Unsqueeze', ['timestep', 'axes'], 'time'],
      ['Mul', ['time', 'perTimestep'], 'scaledTime'],
      ['Add', ['both', 'scaledTime'], 'sum'],
      ['Tanh', ['sum'], 'out_sample'],
    ],
  });
}

/** Writes a graph that gives what it takes. */
async function writeIdentity(folder: string, input: string, output: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
  await mkdir(folder);
  const graph = onnxGraph({
    inputs: [picture(input)],
    outputs: [picture(output)],
    nodes: [['Identity', [input], output]],
  });
  await writeFile(join(folder, 'model.onnx'), graph);
}

/**
 * Creates a small mean-reverting model with random weights that works on pixels, from 0 to 1: its VAE is none.
 * @param scheduler changes of its scheduler file.
 */
export async function createRestorationModel(
  scheduler: Readonly<Record<string, unknown>> = {},
): Promise<ModelCopy> {
  const copy = await ModelCopy.create(tinyModel);
  const at = (path: string): string => join(copy.folder, path);
  await writeIdentity(at('vae_encoder'), 'sample', 'latent_sample');
  await writeIdentity(at('vae_decoder'), 'latent_sample', 'sample');
  await copy.edit('vae/config.json', {
    _class_name: 'AutoencoderKL',
    latent_channels: 3,
    block_out_channels: [1],
    scaling_factor: 0.5,
    shift_factor: -1,
  });
  await copy.edit('unet/config.json', {
    in_channels: 3,
    out_channels: 3,
    block_out_channels: [8, 8],
    sample_size: 64,
  });
  const { cross_attention_dim: width } = JSON.parse(await readFile(at('unet/config.json'), 'utf8')) as {
    readonly cross_attention_dim: number;
  };
  await copy.remove('unet/model.onnx');
  await writeFile(at('unet/model.onnx'), networkGraph(width));
  const file = { _class_name: 'IRSDE', max_sigma: 50, T: 100, eps: 0.005, ...scheduler };
  await copy.write('scheduler/scheduler_config.json', JSON.stringify(file));
  return copy;
}
