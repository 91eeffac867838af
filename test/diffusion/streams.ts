import type { GuidanceType } from '../../src/diffusion/guidance.js';
import { brownianTime } from '../../src/diffusion/brownian.js';
import { SeededNoise } from '../../src/diffusion/noise.js';
import { createSolver, predictionsFor, type SolverName } from '../../src/diffusion/solvers/create.js';
import type { Plan } from '../../src/diffusion/in-flight.js';
import { predictedNoise } from '../../src/diffusion/prediction.js';
import { Stream, type Admission } from '../../src/diffusion/stream.js';
import type { PredictionType, Solver, Stage } from '../../src/diffusion/types.js';
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
  readonly schedule?: readonly SolverName[];
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
  readonly algorithm?: 'dpmsolver++' | 'sde-dpmsolver++';
  readonly order?: 1 | 2 | 3;
  readonly eta?: number;
  readonly noiseByTime?: boolean;
  readonly momentum?: number;
}

export function createStream(options: StreamOptions = {}): Stream {
  const solverOptions = {
    solver: options.solver ?? 'LCMScheduler',
    solver_schedule: options.schedule ?? null,
    num_inference_steps: 50,
    t_index_list: options.t_index_list ?? [18, 26, 35, 45],
    timestep_spacing: null,
    solver_order: options.order ?? 2,
    algorithm_type: options.algorithm ?? 'dpmsolver++',
    use_karras_sigmas: false,
    momentum_beta: options.momentum ?? 1,
    eta: options.eta ?? 0,
    gamma: 0.3,
    do_add_noise: options.do_add_noise ?? true,
  } as const;
  const [prediction] = predictionsFor(solverOptions.solver);
  const config = { ...schedulerConfig, prediction_type: prediction };
  const solver = solverFor(config, solverOptions);
  const times = options.noiseByTime === true ? solver.stages.map(brownianTime) : null;
  const seeds = [{ seed: options.seed ?? 2, weight: 1 }];
  const plan = {
    solver,
    stockSolver: solverFor(config, { ...solverOptions, do_add_noise: true }),
    prediction: options.prediction ?? prediction,
    shape,
    noise: new SeededNoise(seeds, latentLength, options.drift ?? 0, times),
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

/** By what they were made of. */
const solvers = new Map<string, Solver>();

/** Returns a solver, which has no state: some tests open thousands of streams with the same one. */
function solverFor(...given: Parameters<typeof createSolver>): Solver {
  const key = JSON.stringify([given[0].prediction_type, given[1]]);
  const solver = solvers.get(key) ?? createSolver(...given);
  solvers.set(key, solver);
  return solver;
}

/** Returns a latent that differs from frame to frame. */
export function frameLatent(frame: number): Float32Array {
  return Float32Array.from({ length: latentLength }, (_, i) => Math.sin(1.7 * i + 0.9 * frame));
}

/** Returns the output of a U-Net that stands for this noise. */
export function outputFor(
  { prediction }: Plan,
  stage: Stage,
  input: Float32Array,
  noise: Float32Array,
): Float32Array {
  // Predictions are linear in the output.
  const [none, one] = [0, 1].map((output) => {
    const out = new Float64Array(input.length);
    predictedNoise(
      prediction,
      { ...stage, inputScale: 1 },
      input,
      input.map(() => output),
      out,
    );
    return out;
  });
  return noise.map((value, i) => (value - none[i]) / (one[i] - none[i]));
}
