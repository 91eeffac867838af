import { access } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ModelError } from '../model-error.js';
import type { Port } from '../onnx/signature.js';
import { readGraphFile } from './graph-file.js';
import type { ModelLayout } from './model.js';
import type { Graph } from './ports.js';

/**
 * Returns the layout with the graphs in 8 bits that a model has beside its usual ones, as ops/training writes them:
 * `model_int8.onnx`, with the same inputs and outputs. Parts that have none keep their usual graph.
 * @returns null if no part has one.
 * @throws {ModelError} if one is incomplete or has other inputs or outputs.
 */
export async function readInt8(layout: ModelLayout): Promise<ModelLayout | null> {
  const { unet, vaeEncoder, vaeDecoder } = layout;
  const [unetGraph, encoderGraph, decoderGraph] = await Promise.all(
    [unet, vaeEncoder, vaeDecoder].map(async ({ graph }) => graphInInt8(graph)),
  );
  if (!unetGraph && !encoderGraph && !decoderGraph) return null;
  return {
    ...layout,
    unet: { ...unet, graph: unetGraph ?? unet.graph },
    vaeEncoder: { ...vaeEncoder, graph: encoderGraph ?? vaeEncoder.graph },
    vaeDecoder: { ...vaeDecoder, graph: decoderGraph ?? vaeDecoder.graph },
  };
}

async function graphInInt8(usual: Graph): Promise<Graph | null> {
  const file = join(dirname(usual.file), 'model_int8.onnx');
  const found = await access(file).then(
    () => true,
    () => false,
  );
  if (!found) return null;
  const graph = await readGraphFile(file);
  if (
    described(graph.inputs) === described(usual.inputs) &&
    described(graph.outputs) === described(usual.outputs)
  )
    return graph;
  throw new ModelError(
    file,
    `has other inputs or outputs than ${usual.file}; export both again, or remove it`,
  );
}

function described(ports: readonly Port[]): string {
  return ports.map(({ name, type, shape }) => `${name} ${type} ${shape.length}`).join(', ');
}
