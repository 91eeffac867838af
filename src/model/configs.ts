import { createValidator } from '../text/validator.js';

// The fields of the configuration files of diffusers and transformers that matter here; others are allowed. Defaults are
// those of the classes of diffusers, since older files lack fields that were added later.

const count = { type: 'integer', minimum: 1 } as const;
const maybe = { anyOf: [count, { type: 'null' }], default: null } as const;
const channels = { type: 'array', minItems: 1, items: count } as const;

/** model_index.json */
export const validateIndex = createValidator<{
  readonly _class_name: string;
  readonly force_zeros_for_empty_prompt: boolean;
}>({
  type: 'object',
  required: ['_class_name'],
  properties: {
    _class_name: { type: 'string' },
    force_zeros_for_empty_prompt: { type: 'boolean', default: false },
  },
});

export interface UnetConfig {
  readonly in_channels: number;
  readonly out_channels: number;
  readonly block_out_channels: readonly number[];
  /** The kinds of the blocks on the way down, each at half the size of the one before. */
  readonly down_block_types: readonly string[];
  /** One width, or one for each block; supported models have only equal ones. */
  readonly cross_attention_dim: number | readonly number[];
  /** Width of the guidance embedding of a model that guides itself (a full LCM). */
  readonly time_cond_proj_dim: number | null;
  /** `text_time` (SDXL) takes the embedding of the whole prompt and sizes; `text` is computed in the graph. */
  readonly addition_embed_type: 'text' | 'text_time' | null;
  readonly addition_time_embed_dim: number | null;
  readonly projection_class_embeddings_input_dim: number | null;
  /** Width and height of a latent image in training, if given. */
  readonly sample_size: number | null;
}

/** unet/config.json */
export const validateUnet = createValidator<UnetConfig>({
  type: 'object',
  required: ['in_channels', 'out_channels', 'block_out_channels', 'cross_attention_dim'],
  properties: {
    _class_name: { enum: ['UNet2DConditionModel'] },
    in_channels: count,
    out_channels: count,
    block_out_channels: channels,
    down_block_types: {
      type: 'array',
      items: { type: 'string' },
      default: ['CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
    },
    cross_attention_dim: { anyOf: [count, channels] },
    sample_size: { anyOf: [count, { type: 'array' }, { type: 'null' }], default: null },
    time_cond_proj_dim: maybe,
    addition_embed_type: { enum: [null, 'text', 'text_time'], default: null },
    addition_time_embed_dim: maybe,
    projection_class_embeddings_input_dim: maybe,
  },
});

export type VaeConfig = {
  readonly latent_channels: number;
  readonly scaling_factor?: number;
  readonly shift_factor: number | null;
  /** One for each latent channel: the U-Net sees (encoded - mean) * scaling_factor / std. Both or none. */
  readonly latents_mean: readonly number[] | null;
  readonly latents_std: readonly number[] | null;
} & (
  | { readonly _class_name: 'AutoencoderKL'; readonly block_out_channels: readonly number[] }
  | { readonly _class_name: 'AutoencoderTiny'; readonly encoder_block_out_channels: readonly number[] }
);

/** vae/config.json, or vae_encoder/config.json or vae_decoder/config.json, which are copies of it. */
export const validateVae = createValidator<VaeConfig>({
  type: 'object',
  required: ['_class_name'],
  properties: {
    _class_name: { enum: ['AutoencoderKL', 'AutoencoderTiny'] },
    latent_channels: { ...count, default: 4 },
    scaling_factor: { type: 'number', exclusiveMinimum: 0 },
    shift_factor: { type: ['number', 'null'], default: null },
    latents_mean: { type: ['array', 'null'], items: { type: 'number' }, default: null },
    latents_std: { type: ['array', 'null'], items: { type: 'number', exclusiveMinimum: 0 }, default: null },
    block_out_channels: channels,
    encoder_block_out_channels: channels,
  },
  if: { properties: { _class_name: { const: 'AutoencoderTiny' } } },
  then: { required: ['encoder_block_out_channels'] },
  else: { required: ['block_out_channels'] },
});

export interface TextEncoderConfig {
  readonly hidden_size: number;
  readonly max_position_embeddings: number;
  readonly num_hidden_layers: number;
  /** How many tokens it knows, if given. */
  readonly vocab_size: number | null;
  /** Width of the embedding of a whole text. */
  readonly projection_dim: number | null;
}

/** text_encoder/config.json, and text_encoder_2/config.json of SDXL */
export const validateTextEncoder = createValidator<TextEncoderConfig>({
  type: 'object',
  required: ['hidden_size'],
  properties: {
    hidden_size: count,
    max_position_embeddings: { ...count, default: 77 },
    num_hidden_layers: { ...count, default: 12 },
    projection_dim: maybe,
    vocab_size: maybe,
  },
});
