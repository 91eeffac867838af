import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { readPreprocessors, type PreprocessorLayout } from '../../src/model/layout/preprocessor.js';
import { onnxGraph, type GraphPort } from './onnx-graph.js';

const float32 = 1;
export const pictureInput: GraphPort = ['image', float32, ['batch', 3, 'height', 'width']];

/** A preprocessor as read from a model folder, without a file. */
export const preprocessorLayout: PreprocessorLayout = {
  name: 'random',
  title: 'Random',
  graph: {
    file: 'model.onnx',
    inputs: [],
    outputs: [],
    weightFiles: [],
    weightBytes: {},
    weightType: 'float32',
  },
  input: { name: 'image', type: 'float32', shape: ['batch', 3, 'height', 'width'] },
  output: { name: 'result', type: 'float32', shape: ['batch', 'channels', 'rows', 'columns'] },
  rows: null,
  size: null,
  multipleOf: 1,
  scale: [1 / 255, 1 / 255, 1 / 255],
  shift: [0, 0, 0],
  order: 'rgb',
  result: { kind: 'picture', range: [0, 1], invert: false, palette: [], channel: 0, classes: null },
};

/**
 * Returns a graph of one convolution with random weights, from pictures to `channels` channels.
 * @param kernel side of the kernel; the result is smaller than the picture by one less than that.
 */
export function randomGraph(
  channels: number,
  { kernel = 1, input = pictureInput }: { readonly kernel?: number; readonly input?: GraphPort } = {},
): { readonly graph: Buffer; readonly weights: Float32Array } {
  const weights = new Gaussian(channels, kernel).fill(new Float32Array(channels * 3 * kernel * kernel));
  const graph = onnxGraph({
    inputs: [input],
    outputs: [['result', float32, ['batch', channels, 'rows', 'columns']]],
    constants: [['weights', [channels, 3, kernel, kernel], [...weights]]],
    nodes: [['Conv', ['image', 'weights'], 'result']],
  });
  return { graph, weights };
}

/** Writes a preprocessor into a model folder. */
export async function writePreprocessor(
  root: string,
  name: string,
  graph: Buffer,
  config: object,
): Promise<void> {
  const folder = join(root, 'preprocessors', name);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), graph);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
}

/** Reads a folder with one preprocessor. */
export async function readPreprocessor(
  config: object,
  graph: Buffer = randomGraph(1).graph,
  name = 'depth',
): Promise<PreprocessorLayout> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-preprocessors-'));
  try {
    await writePreprocessor(root, name, graph, config);
    const [layout] = await readPreprocessors(root);
    return layout;
  } finally {
    await rm(root, { recursive: true });
  }
}

/** Returns a graph with this input and output, which cannot be run. */
export function portsOnly(input: GraphPort, output: GraphPort): Buffer {
  return onnxGraph({ inputs: [input], outputs: [output] });
}
