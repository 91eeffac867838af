import type { TextEncoderConfig, UnetConfig, VaeConfig } from '../configs.js';
import { ModelError } from '../model-error.js';
import { findGraphs } from './find-graph.js';
import { readGraphFile } from './graph-file.js';
import { fixedSize, type Graph } from './ports.js';
import { readPrecomputed } from './precomputed.js';
import { readSteered, type SteeredLayout } from './steered.js';
import { textEncoderLayout, type TextEncoderLayout } from './text.js';
import { inputWidth, unetLayout, type UnetLayout } from './unet.js';
import { vaeDecoderLayout, vaeEncoderLayout, type VaeDecoderLayout, type VaeEncoderLayout } from './vae.js';

/** How the exported parts of a model are used together. */
export interface ModelLayout {
  readonly unet: UnetLayout;
  /** The U-Net that takes more than prompts; null if the model has none. */
  readonly steered: SteeredLayout | null;
  readonly vaeEncoder: VaeEncoderLayout;
  readonly vaeDecoder: VaeDecoderLayout;
  /** One, or the two of SDXL. */
  readonly textEncoders: readonly TextEncoderLayout[];
  /** Size of pictures in pixels, as far as the exports fixed it. */
  readonly size: FixedSize;
}

export interface FixedSize {
  readonly width?: number;
  readonly height?: number;
}

/** Parsed configuration files, with their paths where messages name them. */
export interface ModelConfigs {
  readonly unet: UnetConfig;
  readonly unetPath: string;
  readonly vae: VaeConfig;
  readonly textEncoders: readonly TextEncoderConfig[];
  /** Pixels along a side for one latent value. */
  readonly pixelFactor: number;
}

/**
 * Finds the ONNX graphs in a model folder and how each takes its inputs.
 * @throws {ModelError} if one is missing, is incomplete, or does not fit the others or its configuration.
 */
export async function readLayout(root: string, configs: ModelConfigs): Promise<ModelLayout> {
  const { unet: unetConfig, unetPath, vae, textEncoders, pixelFactor } = configs;
  const graphs: Graph[] = [];
  const parts = ['unet', 'vae_encoder', 'vae_decoder', ...textEncoders.map(textPart)];
  for (const file of await findGraphs(root, parts)) graphs.push(await readGraphFile(file));
  const [unetGraph, encoderGraph, decoderGraph, ...textGraphs] = graphs;
  if (!unetGraph || !encoderGraph || !decoderGraph) throw new RangeError('a graph was not read');
  const precomputed = await readPrecomputed(root, unetGraph);
  const unet = unetLayout(unetGraph, unetConfig, unetPath, { precomputed });
  const plain = { layout: unet, config: unetConfig, configPath: unetPath };
  const steered = await readSteered(root, plain);
  const vaeEncoder = vaeEncoderLayout(encoderGraph, vae);
  const vaeDecoder = vaeDecoderLayout(decoderGraph, vae);
  const pooledWidth = inputWidth(unet, 'text_embeds');
  const xl = pooledWidth !== null;
  const texts = textGraphs.flatMap((graph, i) => {
    const config = textEncoders[i];
    const pooled = xl && i === textGraphs.length - 1;
    return config ? [textEncoderLayout(graph, config, { layer: xl ? 'penultimate' : 'last', pooled })] : [];
  });
  checkPooled(pooledWidth, texts, unetPath);
  const size = {
    ...oneSize('height', [
      [unetGraph, scaled(unet.height, pixelFactor)],
      ...steeredSize(steered, 'height', pixelFactor),
      [encoderGraph, vaeEncoder.height],
      [decoderGraph, scaled(vaeDecoder.height, pixelFactor)],
    ]),
    ...oneSize('width', [
      [unetGraph, scaled(unet.width, pixelFactor)],
      ...steeredSize(steered, 'width', pixelFactor),
      [encoderGraph, vaeEncoder.width],
      [decoderGraph, scaled(vaeDecoder.width, pixelFactor)],
    ]),
  };
  return { unet, steered, vaeEncoder, vaeDecoder, textEncoders: texts, size };
}

/** Returns the sizes that the steered U-Net and the control networks are fixed to. */
function steeredSize(
  steered: SteeredLayout | null,
  side: 'height' | 'width',
  pixelFactor: number,
): readonly (readonly [Graph, number | null])[] {
  if (steered === null) return [];
  const { unet, controls } = steered;
  const axis = side === 'height' ? 2 : 3;
  return [
    [unet.graph, scaled(unet[side], pixelFactor)],
    ...controls.map(({ graph, image }) => [graph, fixedSize(image, axis)] as const),
  ];
}

/** Returns the folder of the first or second text encoder. */
export function textPart(_: unknown, index: number): string {
  return index === 0 ? 'text_encoder' : `text_encoder_${index + 1}`;
}

/** @throws {ModelError} if the U-Net takes embeddings of another width than the text encoder gives; null takes none. */
function checkPooled(width: number | null, texts: readonly TextEncoderLayout[], unetPath: string): void {
  const given = texts.at(-1)?.pooled?.width;
  if (width === null || width === given) return;
  throw new ModelError(
    unetPath,
    `projection_class_embeddings_input_dim leaves ${width} values for the prompt beside six sizes, ` +
      `but the text encoder gives ${given}; refiners and models with other conditions cannot be used`,
  );
}

function scaled(size: number | null, factor: number): number | null {
  return size === null ? null : size * factor;
}

/** @throws {ModelError} if two graphs are fixed to different sizes. */
function oneSize(
  side: 'width' | 'height',
  sizes: readonly (readonly [graph: Graph, size: number | null])[],
): FixedSize {
  let first: readonly [Graph, number] | undefined;
  for (const [graph, size] of sizes) {
    if (size === null) continue;
    first ??= [graph, size];
    if (first[1] === size) continue;
    throw new ModelError(
      graph.file,
      `is made for pictures of ${side} ${size}, but ${first[0].file} for ${first[1]}; ` +
        'export both again for one size or for any',
    );
  }
  return first ? { [side]: first[1] } : {};
}
