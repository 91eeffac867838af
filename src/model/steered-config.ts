import { createValidator } from '../text/validator.js';
import type { Three } from './layout/scaling.js';

/** One map that a control network makes of a picture. */
interface FeatureConfig {
  readonly channels: number;
  /** Side of the latent over side of the map, which is rounded up. */
  readonly divisor: number;
}

/** A ControlNet or a T2I-Adapter. */
export interface ControlConfig {
  readonly name: string;
  readonly type: 'controlnet' | 't2i_adapter';
  /** What makes the control image of a frame that comes without one; null makes none. */
  readonly preprocessor: string | null;
  /** The hint of a ControlNet, or all maps of a T2I-Adapter. */
  readonly features: readonly FeatureConfig[];
}

export interface IpAdapterConfig {
  /** Tokens of a style image. */
  readonly tokens: number;
  /** Side of the square that the image encoder takes. */
  readonly image_size: number;
  readonly image_mean: Three;
  readonly image_std: Three;
  /** The block of each cross-attention layer, in the order of diffusers' attn_processors. */
  readonly layers: readonly string[];
}

export interface AttentionBankConfig {
  readonly layers: readonly { readonly name: string; readonly divisor: number; readonly width: number }[];
}

/** What steers the U-Net in the folder besides prompts. */
export interface SteeredConfig {
  readonly controls: readonly ControlConfig[];
  readonly ip_adapter: IpAdapterConfig | null;
  readonly attention_bank: AttentionBankConfig | null;
}

const count = { type: 'integer', minimum: 1 } as const;
const name = { type: 'string', pattern: '^[a-z0-9_-]{1,40}$' } as const;
const perChannel = { type: 'array', minItems: 3, maxItems: 3 } as const;

function listOf(required: Readonly<Record<string, object>>): object {
  const items = { type: 'object', required: Object.keys(required), properties: required };
  return { type: 'array', minItems: 1, items };
}

function orNull(required: Readonly<Record<string, object>>): object {
  const object = { type: 'object', required: Object.keys(required), properties: required };
  return { anyOf: [{ type: 'null' }, object], default: null };
}

/** unet_steered/config.json */
export const validateSteered = createValidator<SteeredConfig>({
  type: 'object',
  properties: {
    controls: {
      type: 'array',
      default: [],
      items: {
        type: 'object',
        required: ['name', 'type', 'features'],
        properties: {
          name,
          type: { enum: ['controlnet', 't2i_adapter'] },
          preprocessor: { anyOf: [{ type: 'null' }, name], default: null },
          features: listOf({ channels: count, divisor: count }),
        },
      },
    },
    ip_adapter: orNull({
      tokens: count,
      image_size: count,
      image_mean: { ...perChannel, items: { type: 'number' } },
      image_std: { ...perChannel, items: { type: 'number', exclusiveMinimum: 0 } },
      layers: { type: 'array', minItems: 1, items: { type: 'string' } },
    }),
    attention_bank: orNull({ layers: listOf({ name: { type: 'string' }, divisor: count, width: count }) }),
  },
});
