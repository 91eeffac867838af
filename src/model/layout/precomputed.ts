import { join } from 'node:path';
import { ModelError } from '../model-error.js';
import { findGraphs } from './find-graph.js';
import { readGraphFile } from './graph-file.js';
import { checkAxis, fixedSize, inputPort, namedOutput, type Graph, type NumberPort } from './ports.js';

/** A small graph that computes an input of the U-Net from others, once for all calls in which these are the same. */
export interface PrecomputedInput {
  readonly graph: Graph;
  readonly output: NumberPort;
  /** The U-Net's input that takes the output. */
  readonly port: NumberPort;
  /** The last dimension of both. */
  readonly width: number;
}

/** What a U-Net gets from small graphs in place of the prompt and the timestep. */
export interface PrecomputedLayout {
  /** Keys and values of the prompt in all cross-attention layers [batch, tokens, width]. */
  readonly keys: PrecomputedInput;
  /** What residual blocks get from the timestep and what is added to it [batch, width]. */
  readonly time: PrecomputedInput;
}

/** Returns the inputs that small graphs make; none if the U-Net takes prompts and timesteps itself. */
export function precomputedInputs(layout: PrecomputedLayout | null): readonly PrecomputedInput[] {
  return layout ? [layout.keys, layout.time] : [];
}

/** Returns whether a U-Net needs small graphs. */
export function takesPrecomputed({ inputs }: Graph): boolean {
  return inputs.some(({ name }) => name === 'prompt_keys');
}

/**
 * Reads the small graphs that a U-Net needs.
 * @returns null if it takes prompts and timesteps itself.
 * @throws {ModelError} if a graph is missing or does not fit the U-Net.
 */
export async function readPrecomputed(root: string, unet: Graph): Promise<PrecomputedLayout | null> {
  if (!takesPrecomputed(unet)) return null;
  const graphs: Graph[] = [];
  // With the U-Net, which is there, so that a missing graph is named, and not the whole folder.
  const [, ...files] = await findGraphs(root, ['unet', 'unet_keys', 'unet_time']);
  for (const file of files) graphs.push(await readGraphFile(file));
  const [keys, time] = graphs;
  if (keys === undefined || time === undefined) throw new RangeError('a graph was not read');
  return {
    keys: precomputedInput(unet, keys, 'prompt_keys', join(root, 'unet_keys')),
    time: precomputedInput(unet, time, 'time_features', join(root, 'unet_time')),
  };
}

function precomputedInput(unet: Graph, graph: Graph, name: string, folder: string): PrecomputedInput {
  const port = inputPort(unet, name);
  const output = namedOutput(graph, name);
  const axis = port.shape.length - 1;
  const width = fixedSize(port, axis);
  if (width === null) {
    throw new ModelError(unet.file, `"${name}" has no fixed width; export it again with ${folder}`);
  }
  checkAxis(graph, output, { axis, size: width, by: unet.file });
  return { graph, output, port, width };
}
