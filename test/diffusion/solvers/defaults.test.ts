import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { solverNames, type SolverName } from '@millrace/protocol';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver } from '../../../src/diffusion/solvers/create.js';
import type { SolverOptions } from '../../../src/diffusion/solver-options.js';
import { createHistory, defaultOptions, stableDiffusion } from './solver-settings.js';

/** The defaults of diffusers classes for fields that a configuration does not have. */
const defaults: SchedulerConfig = {
  num_train_timesteps: 1000,
  prediction_type: 'epsilon',
  rescale_betas_zero_snr: false,
  original_inference_steps: 50,
  timestep_scaling: 10,
  lower_order_final: true,
  euler_at_final: false,
  final_sigmas_type: 'zero',
  lambda_min_clipped: -Infinity,
  use_exponential_sigmas: false,
  use_beta_sigmas: false,
  use_lu_lambdas: false,
  sigma_min: null,
  sigma_max: null,
  predict_x0: true,
  disable_corrector: [],
  skip_prk_steps: false,
  clip_sample: false,
  thresholding: false,
  interpolation_type: 'linear',
  steps_offset: 0,
};
const own: Readonly<Partial<Record<SolverName, SchedulerConfig>>> = {
  DDIMScheduler: { set_alpha_to_one: true, timestep_spacing: 'leading' },
  PNDMScheduler: { set_alpha_to_one: false, timestep_spacing: 'leading' },
  LCMScheduler: { timestep_spacing: 'leading' },
  TCDScheduler: { timestep_spacing: 'leading' },
  DPMSolverMultistepScheduler: { solver_type: 'midpoint', timestep_spacing: 'linspace' },
  DEISMultistepScheduler: { solver_type: 'logrho', timestep_spacing: 'linspace' },
  UniPCMultistepScheduler: { solver_type: 'bh2', timestep_spacing: 'linspace' },
};

/** Runs a solver on a sample whose predicted noise rises and falls; returns all results. */
function run(config: SchedulerConfig, options: SolverOptions): readonly unknown[] {
  const solver = createSolver(config, options);
  const length = 3;
  const history = createHistory(solver, length);
  const sample = Float64Array.of(0.5, -1, 2);
  const trail: unknown[] = [solver.initNoiseSigma, solver.addsNoise];
  for (const [i, stage] of solver.stages.entries()) {
    const eps = sample.map((value, k) => Math.sin(value + i + k));
    const noise = sample.map((_, k) => Math.cos(i - k));
    solver.step({ stage: i, sample, eps, noise, history, out: sample });
    trail.push(stage, [...sample]);
  }
  return trail;
}

const { steps_offset: _, ...bare } = stableDiffusion;

describe('a field that a configuration does not have', () => {
  for (const name of solverNames) {
    it(`has the default of diffusers: ${name}`, () => {
      const explicit = { ...bare, ...defaults, timestep_spacing: 'linspace', ...own[name] } as const;
      for (const algorithm_type of ['dpmsolver', 'dpmsolver++'] as const) {
        for (const order of [1, 2, 3] as const) {
          const options = { ...defaultOptions, name, algorithm_type, order, num_inference_steps: 8 };
          const late = { ...options, t_index_list: [2, 4, 7] };
          for (const chosen of [options, late]) assert.deepEqual(run(bare, chosen), run(explicit, chosen));
        }
      }
    });
  }
});
