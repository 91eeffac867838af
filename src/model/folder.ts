import type {
  ModelControl,
  ParameterUpdate,
  StreamParameters,
  Style,
  UsefulRanges,
} from '@millrace/protocol';
import { stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import {
  validateIndex,
  validateTextEncoder,
  validateUnet,
  validateVae,
  type TextEncoderConfig,
  type UnetConfig,
  type VaeConfig,
} from './configs.js';
import { solverDefaults } from './flow-scheduler.js';
import { checkKind, exportAdvice } from './kind.js';
import { readInt8 } from './layout/int8.js';
import { readLayout, textPart, type FixedSize, type ModelLayout } from './layout/model.js';
import { readPreprocessors, type PreprocessorLayout } from './layout/preprocessor.js';
import { unetInput } from './layout/unet.js';
import { meanRevertingDefaults } from './mean-reverting.js';
import { ModelError } from './model-error.js';
import { exists, readModelJson } from './model-files.js';
import { modelName } from './model-name.js';
import { readScheduler, type SchedulerConfig } from './scheduler.js';
import { readSolverStatistics } from './solver-statistics.js';
import { readPromptClassifier, type PromptGroup } from './prompt-classifier.js';
import { readSettings } from './millrace-json.js';

/** Common sizes of video are multiples of it. */
const usualFactor = 8;

/** The facts about a model from its folder, before any weights are loaded. */
export interface ModelFolder {
  /** Name of the folder, or organisation/name if it came from the hub. */
  readonly name: string;
  /** One or two sentences for users; may be empty. */
  readonly description: string;
  /** Absolute path. */
  readonly root: string;
  /** The ONNX graphs and how they take their inputs. */
  readonly layout: ModelLayout;
  /** The same with the model's second graphs, in 8 bits; null if it has none. */
  readonly int8: ModelLayout | null;
  /** The graphs that make control pictures and masks, by name in alphabetical order. */
  readonly preprocessors: readonly PreprocessorLayout[];
  /** One for each text encoder: the tokenizer's folder, an absolute path, and how many tokens the encoder knows. */
  readonly tokenizers: readonly { readonly folder: string; readonly tokenCount: number | null }[];
  /** Channels of a latent image. */
  readonly latentChannels: number;
  /** The U-Net sees (encoded - shiftFactor) * scalingFactor, unless there are `latentStatistics`. */
  readonly scalingFactor: number;
  readonly shiftFactor: number;
  /** By channel, if the VAE has them: the U-Net sees (encoded - mean) * scalingFactor / std. */
  readonly latentStatistics: { readonly mean: readonly number[]; readonly std: readonly number[] } | null;
  /** Pixels along a side for one latent value. */
  readonly pixelFactor: number;
  /** Width and height in pixels must be multiples of this. */
  readonly sizeFactor: number;
  /**
   * The networks take only multiples of this, the product of the halvings of VAE and U-Net; pictures of other sizes
   * are padded for them.
   */
  readonly networkFactor: number;
  /** Pixels along a side for one position of the U-Net's largest attention. */
  readonly attentionFactor: number;
  readonly predictionType: SchedulerConfig['prediction_type'];
  /** The size of pictures, as far as the exports fixed it. */
  readonly fixedSize: FixedSize;
  /** Whether the model takes the guidance scale as an input and needs no other guidance (a full LCM). */
  readonly selfGuided: boolean;
  /** The controls that pictures can steer it by, with the preprocessors of the folder. */
  readonly controls: readonly ModelControl[];
  /** The preprocessors that make masks. */
  readonly maskPreprocessors: readonly string[];
  /** Side in pixels of the square that the image encoder of its IP-Adapter takes; null if it has none. */
  readonly styleImageSide: number | null;
  /** Whether its frames can attend to earlier ones. */
  readonly hasAttentionBank: boolean;
  /** Whether an empty negative prompt is an embedding of zeros (SDXL). */
  readonly zeroEmptyNegative: boolean;
  /** Shape of a prompt's embedding: [textLength, textWidth]. */
  readonly textLength: number;
  readonly textWidth: number;
  /**
   * scheduler/scheduler_config.json, with the defaults of its class for prediction_type and betas, and as `statistics`
   * those of dpm_solver_v3.json, if the model has them.
   */
  readonly scheduler: Readonly<Record<string, unknown>>;
  /** Settings in the files that are ignored, and why: a sentence each. */
  readonly notes: readonly string[];
  /** The model's own parameter defaults. */
  readonly defaults: ParameterUpdate;
  /** Prompts that suit the model. */
  readonly styles: readonly Style[];
  /** Words for prompts that change colours and light. */
  readonly moods: readonly Style[];
  /** What tells which styles and moods a prompt names; empty if the model does not have it. */
  readonly promptGroups?: readonly PromptGroup[];
  /** The ranges of numbers in which its results are good. */
  readonly useful?: UsefulRanges;
  /** The modes that it is good for; absent: all. */
  readonly modes?: readonly StreamParameters['mode'][];
}

/**
 * Reads the configuration files of a diffusers-style folder with ONNX graphs (model_index.json, scheduler/,
 * tokenizer/, text_encoder/, unet/, vae/ or its copies in vae_encoder/ and vae_decoder/) and, if there is one,
 * millrace.json with the model's own settings.
 * @throws {ModelError} if a file is missing or invalid, or the parts do not fit each other.
 */
export async function readModelFolder(folder: string): Promise<ModelFolder> {
  const root = resolve(folder);
  if (!(await exists(root))) {
    throw new ModelError(root, 'no such folder; give the path of a model folder in the diffusers layout');
  }
  await refuseFile(root);
  const index = await readModelJson(join(root, 'model_index.json'), validateIndex);
  await checkKind(root, index);
  const unetPath = join(root, 'unet/config.json');
  const vaePath = await findVaeConfig(root);
  const [unet, vae, { config: scheduler, notes }] = await Promise.all([
    readModelJson(unetPath, validateUnet),
    readModelJson(vaePath, validateVae),
    readScheduler(join(root, 'scheduler/scheduler_config.json'), index._class_name),
  ]);
  // Only SDXL has two text encoders.
  const parts = unet.addition_embed_type === 'text_time' ? [0, 1].map(textPart) : ['text_encoder'];
  const texts = await Promise.all(
    parts.map(async (part): Promise<Read<TextEncoderConfig>> => {
      const path = join(root, part, 'config.json');
      return [path, await readModelJson(path, validateTextEncoder)];
    }),
  );
  checkFit([unetPath, unet], [vaePath, vae], texts);
  const pixelFactor = vaeFactor(vae);
  const networkFactor = pixelFactor * halvings(unet.block_out_channels);
  const sizeFactor = Math.min(networkFactor, Math.max(usualFactor, pixelFactor));
  const textEncoders = texts.map(([, config]) => config);
  const { mean_reverting: meanReverting } = scheduler;
  const layout = await readLayout(root, {
    unet,
    unetPath,
    vae,
    textEncoders,
    pixelFactor,
    revertsToMean: meanReverting !== undefined,
  });
  const textWidth = textEncoders.reduce((sum, text) => sum + text.hidden_size, 0);
  const settings = await readSettings(join(root, 'millrace.json'), sizeFactor);
  // There is nothing to restore without a picture.
  const modes = meanReverting ? (['img2img'] as const) : settings.modes;
  const statistics = await readSolverStatistics(join(root, 'dpm_solver_v3.json'));
  const preprocessors = await readPreprocessors(root);
  const selfGuided = unetInput(layout.unet, 'timestep_cond') !== undefined;
  return {
    name: modelName(root),
    description: settings.description ?? '',
    root,
    layout,
    int8: await readInt8(layout),
    preprocessors,
    tokenizers: parts.map((part, i) => ({
      folder: join(root, part.replace('text_encoder', 'tokenizer')),
      tokenCount: textEncoders[i]?.vocab_size ?? null,
    })),
    latentChannels: vae.latent_channels,
    // Older files of Stable Diffusion's own VAE leave the factor out.
    scalingFactor: vae.scaling_factor ?? (vae._class_name === 'AutoencoderKL' ? 0.18215 : 1),
    shiftFactor: vae.shift_factor ?? 0,
    latentStatistics: latentStatistics([vaePath, vae]),
    pixelFactor,
    sizeFactor,
    networkFactor,
    attentionFactor: pixelFactor * firstAttention(unet),
    predictionType: scheduler.prediction_type,
    fixedSize: layout.size,
    selfGuided,
    controls: (layout.steered?.controls ?? []).map(({ name, preprocessor }) => {
      return { name, preprocessor, preprocessors: namesOf(preprocessors, ({ kind }) => kind !== 'mask') };
    }),
    maskPreprocessors: namesOf(preprocessors, ({ kind }) => kind === 'mask'),
    styleImageSide: layout.steered?.imageEncoder?.image_size ?? null,
    hasAttentionBank: Boolean(layout.steered?.bank),
    zeroEmptyNegative: index.force_zeros_for_empty_prompt,
    textLength: Math.min(...textEncoders.map((text) => text.max_position_embeddings)),
    textWidth,
    scheduler: { ...scheduler, ...(statistics && { statistics }) },
    notes,
    defaults: {
      ...trainedSize(unet, pixelFactor),
      ...(meanReverting ? meanRevertingDefaults(meanReverting) : solverDefaults(scheduler)),
      // The guidance scale that LCMs are distilled for and that diffusers uses.
      ...(selfGuided && { cfg_type: 'none' as const, guidance_scale: 8.5 }),
      ...settings.defaults,
      ...layout.size,
    },
    styles: settings.styles ?? [],
    moods: settings.moods ?? [],
    promptGroups: await readPromptClassifier(join(root, 'text_encoder/classifier.json'), textWidth),
    ...(settings.useful && { useful: settings.useful }),
    ...(modes && { modes }),
  };
}

/** Returns the factor by which the first block with attention is smaller than the latent. */
function firstAttention({ down_block_types: blocks }: UnetConfig): number {
  const first = blocks.findIndex((kind) => kind.includes('Attn'));
  // Without any, there is attention between the ways down and up.
  return 2 ** (first < 0 ? blocks.length - 1 : first);
}

/** Returns the names of the preprocessors that make such results. */
function namesOf(
  preprocessors: readonly PreprocessorLayout[],
  isSuch: (result: PreprocessorLayout['result']) => boolean,
): readonly string[] {
  return preprocessors.filter(({ result }) => isSuch(result)).map(({ name }) => name);
}

/** @throws {ModelError} if the path is a file, such as a checkpoint. */
async function refuseFile(root: string): Promise<void> {
  if ((await stat(root)).isDirectory()) return;
  throw new ModelError(root, `a file, not a model folder; if it is a checkpoint, ${exportAdvice(root)}`);
}

/** @throws {ModelError} if only one of the two is given, or not one value for each channel. */
function latentStatistics([path, vae]: Read<VaeConfig>): ModelFolder['latentStatistics'] {
  const { latents_mean: mean, latents_std: std, latent_channels: channels } = vae;
  if (mean === null && std === null) return null;
  if (mean?.length === channels && std?.length === channels) return { mean, std };
  throw new ModelError(
    path,
    `latents_mean and latents_std must both have ${channels} values, one for each latent channel; ` +
      'use the file of the original model',
  );
}

async function findVaeConfig(root: string): Promise<string> {
  const paths = ['vae', 'vae_decoder', 'vae_encoder'].map((part) => join(root, part, 'config.json'));
  for (const path of paths) if (await exists(path)) return path;
  throw new ModelError(join(root, 'vae/config.json'), 'no such file; copy it from the original model');
}

/** A file and its content. */
type Read<T> = readonly [path: string, config: T];

/** @throws {ModelError} if the parts are not from one text-to-image model. */
function checkFit(
  [unetPath, unet]: Read<UnetConfig>,
  [vaePath, vae]: Read<VaeConfig>,
  texts: readonly Read<TextEncoderConfig>[],
): void {
  for (const field of ['in_channels', 'out_channels'] as const) {
    if (unet[field] === vae.latent_channels) continue;
    throw new ModelError(
      unetPath,
      `${field} is ${unet[field]}, but the VAE has ${vae.latent_channels} latent channels (${vaePath}); ` +
        'use the U-Net and the VAE from the same text-to-image model (models for inpainting have 9 channels, ' +
        'those for editing by instructions or with learned variances 8: they cannot be run here)',
    );
  }
  const width = texts.reduce((sum, [, text]) => sum + text.hidden_size, 0);
  const wanted = [unet.cross_attention_dim].flat().find((dimension) => dimension !== width);
  if (wanted !== undefined) {
    const paths = texts.map(([path]) => path).join(', ');
    const encoders = texts.length === 1 ? 'text encoder has' : 'text encoders together have';
    throw new ModelError(
      unetPath,
      `cross_attention_dim is ${wanted}, but the ${encoders} ${width} values per token (${paths}); ` +
        'use all parts from the same model',
    );
  }
}

/** Returns the factor by which blocks shrink a side: every block but one is followed by a halving. */
function halvings(blocks: readonly number[]): number {
  return 2 ** (blocks.length - 1);
}

function vaeFactor(vae: VaeConfig): number {
  return halvings(
    vae._class_name === 'AutoencoderKL' ? vae.block_out_channels : vae.encoder_block_out_channels,
  );
}

/** Returns the size that the U-Net was trained at, in pixels. */
function trainedSize(unet: UnetConfig, pixelFactor: number): ParameterUpdate {
  if (typeof unet.sample_size !== 'number') return {};
  const side = unet.sample_size * pixelFactor;
  return { width: side, height: side };
}
