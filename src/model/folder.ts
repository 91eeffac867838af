import type { ParameterUpdate } from '@millrace/protocol';
import { basename, join, resolve } from 'node:path';
import {
  validateIndex,
  validateScheduler,
  validateTextEncoder,
  validateUnet,
  validateVae,
  type SchedulerConfig,
  type TextEncoderConfig,
  type UnetConfig,
  type VaeConfig,
} from './configs.js';
import { ModelError } from './model-error.js';
import { checkWeights, exists, readModelJson } from './model-files.js';
import { readSettings, type ModelStyle } from './settings.js';

/** What is known of a model from its folder, before any weights are loaded. */
export interface ModelFolder {
  /** Name of the folder. */
  readonly name: string;
  /** One or two sentences for people; may be empty. */
  readonly description: string;
  /** Absolute paths of the ONNX graphs, and of the folder of the tokenizer. */
  readonly files: {
    readonly unet: string;
    readonly vaeEncoder: string;
    readonly vaeDecoder: string;
    readonly textEncoder: string;
    readonly tokenizer: string;
  };
  /** Channels of a latent image. */
  readonly latentChannels: number;
  /** The U-Net sees (encoded - shiftFactor) * scalingFactor. */
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** Pixels along a side for one latent value. */
  readonly pixelFactor: number;
  /** Width and height in pixels must be multiples of this: what the VAE and the U-Net halve together. */
  readonly sizeFactor: number;
  readonly predictionType: SchedulerConfig['prediction_type'];
  /** Shape of a prompt's embedding: [textLength, textWidth]. */
  readonly textLength: number;
  readonly textWidth: number;
  /** scheduler/scheduler_config.json as it is, defaults of prediction_type filled in. */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** The model's own parameter defaults. */
  readonly defaults: ParameterUpdate;
  /** Prompts that suit the model. */
  readonly styles: readonly ModelStyle[];
}

/**
 * Reads the configuration files of a diffusers-style folder with ONNX graphs (model_index.json, scheduler/,
 * tokenizer/, text_encoder/, unet/, vae/ or its copies in vae_encoder/ and vae_decoder/) and, if there is one,
 * millrace.json with the model's own settings.
 * @throws {ModelError} if a file is missing or wrong, or the parts do not fit each other.
 */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const root = resolve(folder);
  if (!(await exists(root))) {
    throw new ModelError(root, 'no such folder; give the path of a model folder in the diffusers layout');
  }
  await readModelJson(join(root, 'model_index.json'), validateIndex);
  const unetPath = join(root, 'unet/config.json');
  const vaePath = await findVaeConfig(root);
  const textPath = join(root, 'text_encoder/config.json');
  const [unet, vae, text, scheduler] = await Promise.all([
    readModelJson(unetPath, validateUnet),
    readModelJson(vaePath, validateVae),
    readModelJson(textPath, validateTextEncoder),
    readModelJson(join(root, 'scheduler/scheduler_config.json'), validateScheduler),
  ]);
  checkFit([unetPath, unet], [vaePath, vae], [textPath, text]);
  const graph = (part: string): string => join(root, part, 'model.onnx');
  const files = {
    unet: graph('unet'),
    vaeEncoder: graph('vae_encoder'),
    vaeDecoder: graph('vae_decoder'),
    textEncoder: graph('text_encoder'),
    tokenizer: join(root, 'tokenizer'),
  };
  for (const path of [files.unet, files.vaeEncoder, files.vaeDecoder, files.textEncoder]) {
    await checkWeights(path);
    // Graphs of more than 2 GB keep their weights beside them.
    if (await exists(`${path}_data`)) await checkWeights(`${path}_data`);
  }
  const pixelFactor = vaeFactor(vae);
  const sizeFactor = pixelFactor * halvings(unet.block_out_channels);
  const settings = await readSettings(join(root, 'millrace.json'), sizeFactor);
  return {
    name: basename(root),
    description: settings.description ?? '',
    files,
    latentChannels: vae.latent_channels,
    // Older files of Stable Diffusion's own VAE leave the factor out.
    scalingFactor: vae.scaling_factor ?? (vae._class_name === 'AutoencoderKL' ? 0.18215 : 1),
    shiftFactor: vae.shift_factor ?? 0,
    pixelFactor,
    sizeFactor,
    predictionType: scheduler.prediction_type,
    textLength: text.max_position_embeddings,
    textWidth: text.hidden_size,
    scheduler,
    defaults: { ...trainedSize(unet, pixelFactor), ...settings.defaults },
    styles: settings.styles ?? [],
  };
}

async function findVaeConfig(root: string): Promise<string> {
  const paths = ['vae', 'vae_decoder', 'vae_encoder'].map((part) => join(root, part, 'config.json'));
  for (const path of paths) if (await exists(path)) return path;
  throw new ModelError(join(root, 'vae/config.json'), 'no such file; copy it from the original of the model');
}

/** A file and what it holds. */
type Read<T> = readonly [path: string, config: T];

/** @throws {ModelError} if the parts are not of one text-to-image model. */
function checkFit(
  [unetPath, unet]: Read<UnetConfig>,
  [vaePath, vae]: Read<VaeConfig>,
  [textPath, text]: Read<TextEncoderConfig>,
): void {
  for (const field of ['in_channels', 'out_channels'] as const) {
    if (unet[field] === vae.latent_channels) continue;
    throw new ModelError(
      unetPath,
      `${field} is ${unet[field]}, but the VAE has ${vae.latent_channels} latent channels (${vaePath}); ` +
        'take the U-Net and the VAE of the same text-to-image model',
    );
  }
  if (unet.cross_attention_dim !== text.hidden_size) {
    throw new ModelError(
      unetPath,
      `cross_attention_dim is ${unet.cross_attention_dim}, but the text encoder gives ${text.hidden_size} ` +
        `values a token (${textPath}); take both of the same model`,
    );
  }
}

/** Every block but one is followed by a halving. */
function halvings(blocks: readonly number[]): number {
  return 2 ** (blocks.length - 1);
}

function vaeFactor(vae: VaeConfig): number {
  return halvings(
    vae._class_name === 'AutoencoderKL' ? vae.block_out_channels : vae.encoder_block_out_channels,
  );
}

/** The size that the U-Net was trained at, in pixels. */
function trainedSize(unet: UnetConfig, pixelFactor: number): ParameterUpdate {
  if (typeof unet.sample_size !== 'number') return {};
  const side = unet.sample_size * pixelFactor;
  return { width: side, height: side };
}
