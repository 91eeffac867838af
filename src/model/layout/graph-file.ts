import { dirname, join } from 'node:path';
import { checkWeights } from '../model-files.js';
import { readSignature } from '../onnx/signature.js';
import type { Graph } from './ports.js';

/** Reads the description of an ONNX graph. @throws {ModelError} if it or its weights are missing or incomplete. */
export async function readGraphFile(file: string): Promise<Graph> {
  await checkWeights(file);
  const signature = readSignature(file);
  for (const name of signature.weightFiles) {
    await checkWeights(join(dirname(file), name), signature.weightBytes[name]);
  }
  return { file, ...signature };
}
