import { flag } from './parts.js';
import { listSolversWith, listSolversWithout, solverNames } from './solvers.js';
import type { ParameterSchema } from './types.js';

/** How a frame is denoised: steps, schedule, solver. */
export const samplingParameters = {
  strength: {
    title: 'Strength',
    description: 'How much of the picture may change. Used when t_index_list is null.',
    'x-group': 'main',
    default: 0.4,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  steps: {
    title: 'Steps',
    description: 'Denoising steps per frame. Used when t_index_list is null.',
    'x-group': 'main',
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
    default: 50,
    type: 'integer',
    minimum: 1,
    maximum: 1000,
  },
  solver: {
    title: 'Solver',
    description: 'The solver, named after its class in diffusers.',
    'x-group': 'more',
    default: 'LCMScheduler',
    enum: solverNames,
  },
  timestep_spacing: {
    title: 'Timestep spacing',
    description: `How the schedule is spread over the training timesteps; null for the default of the solver. ${listSolversWithout('timestep_spacing')} ignore it.`,
    'x-group': 'more',
    default: null,
    enum: ['leading', 'trailing', 'linspace', null],
  },
  solver_order: {
    title: 'Solver order',
    description: `Order of ${listSolversWith('solver_order')}.`,
    'x-group': 'more',
    default: 2,
    enum: [1, 2, 3],
  },
  algorithm_type: {
    title: 'Algorithm',
    description: `Variant of ${listSolversWith('algorithm_type')}.`,
    'x-group': 'more',
    default: 'dpmsolver++',
    enum: ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'],
  },
  use_karras_sigmas: {
    title: 'Karras sigmas',
    description: `Spread the noise levels as in Karras et al. 2022 (${listSolversWith('use_karras_sigmas')}).`,
    'x-group': 'more',
    default: false,
    ...flag,
  },
  eta: {
    title: 'Eta',
    description: `Randomness of ${listSolversWith('eta')}.`,
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  gamma: {
    title: 'Gamma',
    description: `Randomness of ${listSolversWith('gamma')}.`,
    'x-group': 'more',
    default: 0.3,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  do_add_noise: {
    title: 'Re-noise',
    description: `Add noise again between steps (${listSolversWith('do_add_noise')}).`,
    'x-group': 'more',
    default: true,
    ...flag,
  },
  denoise: {
    title: 'Denoising',
    description:
      'stream: the steps of consecutive frames in one batch; sequential: one frame after another; auto: the faster of the two on this server.',
    'x-group': 'more',
    default: 'auto',
    enum: ['stream', 'sequential', 'auto'],
  },
  frame_buffer_size: {
    title: 'Frame buffer',
    description: 'Number of frames that may enter the stream batch together.',
    'x-group': 'more',
    default: 1,
    type: 'integer',
    minimum: 1,
    maximum: 8,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;
