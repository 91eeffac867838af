import { flag, seed, weighted } from './parts.js';
import type { ParameterSchema } from './parameter-schema.js';
import { listSolvers, noiseAddingSolvers } from './solvers.js';

/** Guidance and noise. */
export const guidanceParameters = {
  cfg_type: {
    title: 'Guidance',
    description:
      'Classifier-free guidance: none, full (one negative row per row), self or initialize (residual guidance of StreamDiffusion).',
    'x-group': 'main',
    'x-applies': ['steering'],
    default: 'none',
    enum: ['none', 'full', 'self', 'initialize'],
  },
  guidance_scale: {
    title: 'Guidance scale',
    description: 'Strength of the guidance; at 1 or below there is no guidance.',
    'x-group': 'main',
    'x-applies': ['steering'],
    'x-when': { cfg_type: ['full', 'self', 'initialize'] },
    default: 1.2,
    type: 'number',
    minimum: 0,
    maximum: 20,
  },
  delta: {
    title: 'Delta',
    description: 'Scale of the virtual residual noise (self and initialize).',
    'x-group': 'more',
    'x-applies': ['steering'],
    'x-when': { cfg_type: ['self', 'initialize'] },
    default: 1,
    type: 'number',
    minimum: 0,
    maximum: 2,
  },
  seed: {
    title: 'Seed',
    description: 'Seed of all random numbers of the stream: a number, or a list of seeds with weights.',
    'x-group': 'more',
    'x-applies': ['plan'],
    default: 2,
    anyOf: [seed, weighted('seed', seed)],
  },
  noise: {
    title: 'Noise',
    description:
      'fixed: the same noise for every frame; drift: noise that changes slowly; move: noise that moves with the picture, so that its pattern sticks to things.',
    'x-group': 'more',
    'x-applies': ['plan'],
    default: 'fixed',
    enum: ['fixed', 'drift', 'move'],
  },
  noise_drift: {
    title: 'Noise drift',
    description:
      'With noise drift: the fraction of the way from one noise to the next that each frame advances.',
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { noise: ['drift'] },
    default: 0.02,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  noise_by_time: {
    title: 'Noise by time',
    description: `Draw the noise that is added between steps from one random path over the noise levels, so that another number of steps keeps more of the picture (${listSolvers(noiseAddingSolvers)}).`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: noiseAddingSolvers },
    default: false,
    ...flag,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
