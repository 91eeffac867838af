import type { GuidanceType } from '../../src/diffusion/guidance.js';
import { SeededNoise } from '../../src/diffusion/noise.js';
import { createSolver, type SolverName } from '../../src/diffusion/solvers/create.js';
import { Stream, type Admission } from '../../src/diffusion/stream.js';
import type { PredictionType } from '../../src/diffusion/types.js';
import { statistics } from './solvers/solver-settings.js';

/** Stable Diffusion's noise schedule. */
const schedulerConfig = {
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  statistics,
} as const;

const shape = [4, 2, 3] as const;
export const latentLength = 24;

export interface StreamOptions {
  readonly solver?: SolverName;
  readonly t_index_list?: readonly number[];
  readonly cfgType?: GuidanceType;
  readonly guidanceScale?: number;
  readonly delta?: number;
  readonly denoise?: Admission['denoise'];
  readonly frameBufferSize?: number;
  readonly feedback?: number;
  readonly prediction?: PredictionType;
  readonly seed?: number;
  readonly drift?: number;
  readonly do_add_noise?: boolean;
  readonly prompt?: number;
  readonly negative?: number;
  readonly order?: 1 | 2 | 3;
  readonly eta?: number;
  readonly momentum?: number;
}

export function createStream(options: StreamOptions = {}): Stream {
  const solverOptions = {
    solver: options.solver ?? 'LCMScheduler',
    num_inference_steps: 50,
    t_index_list: options.t_index_list ?? [18, 26, 35, 45],
    timestep_spacing: null,
    solver_order: options.order ?? 2,
    algorithm_type: 'dpmsolver++',
    use_karras_sigmas: false,
    momentum_beta: options.momentum ?? 1,
    eta: options.eta ?? 0,
    gamma: 0.3,
    do_add_noise: options.do_add_noise ?? true,
  } as const;
  const plan = {
    solver: createSolver(schedulerConfig, solverOptions),
    stockSolver: createSolver(schedulerConfig, { ...solverOptions, do_add_noise: true }),
    prediction: options.prediction ?? 'epsilon',
    shape,
    noise: new SeededNoise([{ seed: options.seed ?? 2, weight: 1 }], latentLength, options.drift ?? 0),
  };
  const steering = {
    guidance: {
      type: options.cfgType ?? 'none',
      scale: options.guidanceScale ?? 1.4,
      delta: options.delta ?? 1,
    },
    positive: { encoder_hidden_states: Float32Array.of(options.prompt ?? 0.3) },
    negative: { encoder_hidden_states: Float32Array.of(options.negative ?? -0.5) },
  };
  const admission = {
    denoise: options.denoise ?? 'stream',
    frameBufferSize: options.frameBufferSize ?? 1,
    feedback: options.feedback ?? 0,
  };
  return new Stream(plan, steering, admission);
}

/** Returns a latent that differs from frame to frame. */
export function frameLatent(frame: number): Float32Array {
  return Float32Array.from({ length: latentLength }, (_, i) => Math.sin(1.7 * i + 0.9 * frame));
}
