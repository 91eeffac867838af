import type { UnetConfig } from '../../src/model/configs.js';

/** Returns the configuration of a U-Net without the inputs of SDXL. */
export function unetConfig(widths: {
  readonly channels: number;
  readonly textWidth: number;
  readonly guidanceWidth?: number;
}): UnetConfig {
  return {
    in_channels: widths.channels,
    out_channels: widths.channels,
    block_out_channels: [1, 1],
    down_block_types: ['CrossAttnDownBlock2D', 'DownBlock2D'],
    cross_attention_dim: widths.textWidth,
    time_cond_proj_dim: widths.guidanceWidth ?? null,
    addition_embed_type: null,
    addition_time_embed_dim: null,
    projection_class_embeddings_input_dim: null,
    sample_size: null,
  };
}
