import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { onnxGraph, type GraphPort } from './onnx-graph.js';

const float32 = 1;
const pictures: GraphPort = ['pixel_values', float32, ['batch', 3, 'height', 'width']];

/**
 * Returns the graph of a classifier whose logits are the mean colour of a picture times a matrix.
 * @param weights [3, logits], row by row; random ones if absent.
 */
export function classifierGraph(
  logits: number,
  {
    weights = [...new Gaussian(logits, 5).fill(new Float32Array(3 * logits))],
    input = pictures,
  }: { readonly weights?: readonly number[]; readonly input?: GraphPort } = {},
): { readonly graph: Buffer; readonly weights: readonly number[] } {
  const graph = onnxGraph({
    inputs: [input],
    outputs: [['logits', float32, ['batch', logits]]],
    constants: [['weights', [3, logits], weights]],
    nodes: [
      ['GlobalAveragePool', [input[0]], 'means'],
      ['Flatten', ['means'], 'colours'],
      ['MatMul', ['colours', 'weights'], 'logits'],
    ],
  });
  return { graph, weights };
}

/** Writes a safety checker into a model folder. */
export async function writeSafetyChecker(root: string, graph: Buffer, config: object): Promise<void> {
  const folder = join(root, 'safety_checker');
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'model.onnx'), graph);
  await writeFile(join(folder, 'config.json'), JSON.stringify(config));
}
