import type { VaeConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { inBytes, meanOf } from '../onnx/borders.js';
import {
  fixedSize,
  namedOutput,
  onlyInput,
  outputPort,
  pictureTypes,
  type Graph,
  type NumberPort,
} from './ports.js';

/** How one half of an exported autoencoder takes its input. */
interface VaePartLayout {
  readonly graph: Graph;
  readonly input: NumberPort;
  readonly output: NumberPort;
  /** Size of the input, if the export fixed it: pixels of the encoder, latent values of the decoder. */
  readonly height: number | null;
  readonly width: number | null;
  /** Pictures of a call: 1 if the export fixed it, else null. */
  readonly rows: 1 | null;
  readonly pictures: PictureForm;
}

/**
 * How a graph takes or gives pictures: `bytes` [n, height, width, 3], or `planes` of values from -1 to 1
 * [n, 3, height, width], which are replaced by bytes when it is loaded.
 */
type PictureForm = 'bytes' | 'planes';

export interface VaeDecoderLayout extends VaePartLayout {
  /** The means of each channel of the pictures, [n, 3, 1, 1]. */
  readonly mean: NumberPort;
}

export interface VaeEncoderLayout extends VaePartLayout {
  /** `moments`: the output has the means of the latent, then as many log-variances (optimum's latent_parameters). */
  readonly gives: 'latent' | 'moments';
}

/** @throws {ModelError} if the graph is not an encoder of such latents. */
export function vaeEncoderLayout(graph: Graph, { latent_channels: channels }: VaeConfig): VaeEncoderLayout {
  const input = onlyInput(graph, pictureTypes);
  const output = outputPort(graph, ['latent_parameters', 'latent_sample']);
  const part = partLayout(graph, { input, output, pictures: pictureForm(graph, input) });
  const given = fixedSize(output, 1);
  const moments = given === null ? output.name === 'latent_parameters' : given === 2 * channels;
  checkChannels(graph, 'output', given, moments ? 2 * channels : channels);
  return { ...part, gives: moments ? 'moments' : 'latent' };
}

/** @throws {ModelError} if the graph is not a decoder of such latents. */
export function vaeDecoderLayout(graph: Graph, { latent_channels: channels }: VaeConfig): VaeDecoderLayout {
  const input = onlyInput(graph);
  const output = outputPort(graph, ['sample'], pictureTypes);
  const pictures = pictureForm(graph, output);
  checkChannels(graph, 'input', fixedSize(input, 1), channels);
  const mean: NumberPort =
    pictures === 'bytes'
      ? namedOutput(graph, meanOf(output.name))
      : { name: meanOf(inBytes(output.name)), type: 'float32', shape: [] };
  return { ...partLayout(graph, { input, output, pictures }), mean };
}

function partLayout(
  graph: Graph,
  ports: Pick<VaePartLayout, 'input' | 'output' | 'pictures'>,
): VaePartLayout {
  const { input } = ports;
  const rows = fixedSize(input, 0);
  if (rows !== null && rows !== 1) {
    throw new ModelError(graph.file, `takes ${rows} pictures at a time; export it again for 1 or any number`);
  }
  const top = input.type === 'uint8' ? 1 : 2;
  return { graph, ...ports, rows, height: fixedSize(input, top), width: fixedSize(input, top + 1) };
}

/** @throws {ModelError} if the port has pictures of another shape. */
function pictureForm(graph: Graph, { name, type, shape }: NumberPort): PictureForm {
  const form = type === 'uint8' ? 'bytes' : 'planes';
  // Some exporters of planes state no shape, or not all of it.
  if (form === 'planes' && shape.length === 0) return form;
  const [, second, , last] = shape;
  const isFree = typeof second === 'string' && last !== 3;
  const fits = form === 'bytes' ? last === 3 : second === 3 || isFree;
  if (fits && shape.length === 4) return form;
  throw new ModelError(
    graph.file,
    `"${name}" has pictures as ${type} [${shape.join(', ')}]; they must be uint8 [n, height, width, 3], ` +
      'or float32 or float16 [n, 3, height, width]; export it again in one of these',
  );
}

function checkChannels(graph: Graph, which: string, found: number | null, wanted: number): void {
  if (found === null || found === wanted) return;
  throw new ModelError(
    graph.file,
    `its ${which} has ${found} channels, but the configuration of the VAE requires ${wanted}; ` +
      'use the VAE and its configuration from the same model',
  );
}
