import type { ParameterSchema } from './parameter-schema.js';
import { solverParameters } from './solvers.js';

/** Shares of the previous result: below 1, so that they stay bounded. */
const feedback = {
  'x-group': 'more',
  'x-applies': ['entry'],
  'x-when': { mode: ['img2img'] },
  default: 0,
  type: 'number',
  minimum: 0,
  maximum: 0.95,
} as const;

/** How a frame is denoised: steps, schedule, solver. */
export const samplingParameters = {
  strength: {
    title: 'Strength',
    description: 'How much of the picture may change. Used when t_index_list is null.',
    'x-group': 'main',
    'x-applies': ['plan'],
    'x-when': { t_index_list: [null] },
    default: 0.4,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  steps: {
    title: 'Steps',
    description: 'Denoising steps per frame. Used when t_index_list is null.',
    'x-group': 'main',
    'x-applies': ['plan'],
    'x-when': { t_index_list: [null] },
    default: 1,
    type: 'integer',
    minimum: 1,
    maximum: 10,
  },
  t_index_list: {
    title: 'Time indices',
    description:
      'Positions in the schedule, ascending, one per step; null derives them from strength and steps.',
    'x-group': 'more',
    'x-applies': ['plan'],
    default: null,
    type: ['array', 'null'],
    minItems: 1,
    maxItems: 50,
    items: { type: 'integer', minimum: 0, maximum: 999 },
  },
  num_inference_steps: {
    title: 'Schedule length',
    description:
      'Number of steps of the whole schedule, which t_index_list points into. With 1000 steps and trailing spacing, position p is timestep 999 - p.',
    'x-group': 'more',
    'x-applies': ['plan'],
    default: 50,
    type: 'integer',
    minimum: 1,
    maximum: 1000,
  },
  ...solverParameters,
  latent_feedback: {
    title: 'Feedback',
    description:
      'Share of the previous result in the latent of each new frame: steadier pictures, and trails behind what moves.',
    ...feedback,
  },
  pixel_feedback: {
    title: 'Picture feedback',
    description:
      'Share of the pixels of the previous result in each new frame: the style builds up from frame to frame.',
    ...feedback,
  },
  denoise: {
    title: 'Denoising',
    description:
      'stream: the steps of consecutive frames in one batch; sequential: one frame after another; auto: the stream batch where its gain in frames is larger than its loss in latency.',
    'x-group': 'more',
    'x-applies': ['entry'],
    default: 'auto',
    enum: ['stream', 'sequential', 'auto'],
  },
  frame_buffer_size: {
    title: 'Frame buffer',
    description: 'Number of frames that may enter the stream batch together.',
    'x-group': 'more',
    'x-applies': ['entry'],
    default: 1,
    type: 'integer',
    minimum: 1,
    maximum: 8,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
