import { seed, weighted } from './parts.js';
import type { ParameterSchema } from './types.js';

/** Guidance and noise. */
export const guidanceParameters = {
  cfg_type: {
    title: 'Guidance',
    description:
      'Classifier-free guidance: none, full (a negative row for each row), self or initialize (residual guidance of StreamDiffusion).',
    'x-group': 'main',
    default: 'none',
    enum: ['none', 'full', 'self', 'initialize'],
  },
  guidance_scale: {
    title: 'Guidance scale',
    description: 'Strength of the guidance; 1 and below means none.',
    'x-group': 'main',
    default: 1.2,
    type: 'number',
    minimum: 0,
    maximum: 20,
  },
  delta: {
    title: 'Delta',
    description: 'Scale of the virtual residual noise (self and initialize).',
    'x-group': 'more',
    default: 1,
    type: 'number',
    minimum: 0,
    maximum: 2,
  },
  seed: {
    title: 'Seed',
    description: 'Start of all random numbers of the stream: a number, or a list of seeds with weights.',
    'x-group': 'more',
    default: 2,
    anyOf: [seed, weighted('seed', seed)],
  },
  noise: {
    title: 'Noise',
    description: 'fixed: the same noise for every frame; drift: it turns slowly.',
    'x-group': 'more',
    default: 'fixed',
    enum: ['fixed', 'drift'],
  },
  noise_drift: {
    title: 'Noise drift',
    description: 'With noise drift: the part of the way from one noise to the next that a frame takes.',
    'x-group': 'more',
    default: 0.02,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
