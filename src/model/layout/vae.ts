import type { VaeConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { fixedSize, onlyInput, outputPort, type Graph, type NumberPort } from './ports.js';

/** How one half of an exported autoencoder takes its input. */
export interface VaePartLayout {
  readonly graph: Graph;
  readonly input: NumberPort;
  readonly output: NumberPort;
  /** Size of the input, if the export fixed it: pixels of the encoder, latent values of the decoder. */
  readonly height: number | null;
  readonly width: number | null;
}

export interface VaeEncoderLayout extends VaePartLayout {
  /** `moments`: the output has the means of the latent, then as many log-variances (optimum's latent_parameters). */
  readonly gives: 'latent' | 'moments';
}

/** @throws {ModelError} if the graph is not an encoder of such latents. */
export function vaeEncoderLayout(graph: Graph, { latent_channels: channels }: VaeConfig): VaeEncoderLayout {
  const part = partLayout(graph, ['latent_parameters', 'latent_sample']);
  const given = fixedSize(part.output, 1);
  const moments = given === null ? part.output.name === 'latent_parameters' : given === 2 * channels;
  checkChannels(graph, 'output', given, moments ? 2 * channels : channels);
  return { ...part, gives: moments ? 'moments' : 'latent' };
}

/** @throws {ModelError} if the graph is not a decoder of such latents. */
export function vaeDecoderLayout(graph: Graph, { latent_channels: channels }: VaeConfig): VaePartLayout {
  const part = partLayout(graph, ['sample']);
  checkChannels(graph, 'input', fixedSize(part.input, 1), channels);
  return part;
}

function partLayout(graph: Graph, outputs: readonly string[]): VaePartLayout {
  const input = onlyInput(graph);
  const pictures = fixedSize(input, 0) ?? 1;
  if (pictures !== 1) {
    throw new ModelError(
      graph.file,
      `takes ${pictures} pictures at a time; export it again for 1 or any number`,
    );
  }
  const output = outputPort(graph, outputs);
  return { graph, input, output, height: fixedSize(input, 2), width: fixedSize(input, 3) };
}

function checkChannels(graph: Graph, which: string, found: number | null, wanted: number): void {
  if (found === null || found === wanted) return;
  throw new ModelError(
    graph.file,
    `its ${which} has ${found} channels, but the configuration of the VAE requires ${wanted}; ` +
      'use the VAE and its configuration from the same model',
  );
}
