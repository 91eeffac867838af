import { flag } from './parts.js';
import type { ParameterSchema } from './parameter-schema.js';

/** A share of the picture, or a place in it. */
const share = { type: 'number', minimum: 0, maximum: 1 } as const;
/** What all that is said of masks has in common. */
const ofMask = { 'x-group': 'more', 'x-applies': ['entry'], 'x-when': { mode: ['img2img'] } } as const;
const ofShape = { ...ofMask, 'x-when': { mode: ['img2img'], mask: ['ellipse', 'rectangle'] } } as const;

/** Which part of the picture may change. */
export const maskParameters = {
  mask: {
    title: 'Mask',
    description:
      'The only part of the picture that changes; around it the input stays. The mask of a frame takes precedence.',
    ...ofMask,
    default: 'none',
    enum: ['none', 'ellipse', 'rectangle'],
  },
  mask_preprocessor: {
    title: 'Mask from the picture',
    description:
      'The preprocessor of the model that finds the only part of each frame that changes, such as a person; none for none. With a mask of the parameters, only what is in both changes. The mask of a frame takes precedence.',
    ...ofMask,
    default: 'none',
    enum: ['none'],
  },
  mask_x: {
    title: 'Mask position X',
    description: 'Middle of the mask, from 0 (left) to 1 (right).',
    ...ofShape,
    default: 0.5,
    ...share,
  },
  mask_y: {
    title: 'Mask position Y',
    description: 'Middle of the mask, from 0 (top) to 1 (bottom).',
    ...ofShape,
    default: 0.5,
    ...share,
  },
  mask_width: {
    title: 'Mask width',
    description: "Width of the mask as a share of the picture's.",
    ...ofShape,
    default: 0.6,
    ...share,
  },
  mask_height: {
    title: 'Mask height',
    description: "Height of the mask as a share of the picture's.",
    ...ofShape,
    default: 0.6,
    ...share,
  },
  mask_invert: {
    title: 'Invert mask',
    description: 'Changes what is around the mask instead of what is in it. Applies to masks of frames too.',
    ...ofMask,
    default: false,
    ...flag,
  },
  mask_feather: {
    title: 'Mask feather',
    description:
      "Width of the mask's soft edge, as a share of the shorter side of the picture. Applies to masks of frames too.",
    ...ofMask,
    default: 0.05,
    type: 'number',
    minimum: 0,
    maximum: 0.5,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
