import type { ParameterSchema } from './parameter-schema.js';

/** Largest file of a style image. */
export const styleImageBytes = 2 * 1024 * 1024;

/** Steering by a picture whose look, or whose layout, the results take over. */
export const styleParameters = {
  style_image: {
    title: 'Style image',
    description:
      'A picture that says what results look like, as a prompt does (IP-Adapter): a JPEG, PNG or WebP file. The model must be exported with an IP-Adapter.',
    'x-group': 'main',
    'x-applies': ['steering'],
    default: null,
    type: ['string', 'null'],
    contentEncoding: 'base64',
    // Base64 has 4 characters for each 3 bytes.
    maxLength: 4 * Math.ceil(styleImageBytes / 3),
  },
  ip_adapter_scale: {
    title: 'Style scale',
    description: 'How much the style image steers; 0 is off, and 1 as much as the prompt.',
    'x-group': 'main',
    'x-applies': ['steering'],
    default: 1,
    type: 'number',
    minimum: 0,
    maximum: 2,
  },
  ip_adapter_weight_type: {
    title: 'Style weights',
    description:
      'Where in the U-Net the style image steers: linear (everywhere alike), ease_in (most in the first layers), ease_out (most in the last), style_transfer (only its look), composition (only its layout), or style_and_composition.',
    'x-group': 'more',
    'x-applies': ['steering'],
    default: 'linear',
    enum: ['linear', 'ease_in', 'ease_out', 'style_transfer', 'composition', 'style_and_composition'],
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;

/**
 * Returns what a model changes in the schema of a style parameter: without an image encoder, there can be no style
 * image, and so none of them ever has an effect.
 */
export function styleLimits(
  name: keyof typeof styleParameters,
  takesStyle: boolean,
): Partial<ParameterSchema> {
  if (takesStyle) return {};
  return { 'x-when': { style_image: [] }, ...(name === 'style_image' && { enum: [null] }) };
}
