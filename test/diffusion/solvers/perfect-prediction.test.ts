import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { createNoiseSchedule } from '../../../src/diffusion/schedule.js';
import type { Stage } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import {
  anySettings,
  createHistory,
  latent,
  latents,
  solverOf,
  stableDiffusion,
  type Settings,
} from './solver-settings.js';
import { cases } from '../../support/properties.js';

const length = 4;
/** Noise levels are in single precision, as in diffusers; everything else in double. */
const tolerance = 1e-6;
const lowestAlphaCumprod = createNoiseSchedule(stableDiffusion).alphasCumprod[0];

/** Returns the signal and noise that are left at the end of a solver. */
function endOf({ config, options }: Settings): { a: number; b: number } {
  const { solver: name, algorithm_type, timestep_spacing, use_karras_sigmas } = options;
  const lowest = { a: Math.sqrt(lowestAlphaCumprod), b: Math.sqrt(1 - lowestAlphaCumprod) };
  const none = { a: 1, b: 0 };
  const sigmaMin = config.final_sigmas_type === 'sigma_min';
  switch (name) {
    case 'TCDScheduler':
    case 'DEISMultistepScheduler':
    case 'PeRFlowScheduler':
    case 'DPMSolverV3Scheduler':
      return lowest;
    case 'DDIMScheduler':
    case 'PNDMScheduler':
    case 'BDIAScheduler':
      return config.set_alpha_to_one === true ? none : lowest;
    case 'DPMSolverMultistepScheduler':
      return sigmaMin || algorithm_type.endsWith('dpmsolver') ? lowest : none;
    case 'GHVBScheduler':
    case 'PLMSWithHBScheduler':
    case 'PLMSWithNTScheduler':
      if (use_karras_sigmas) return none;
      if ((timestep_spacing ?? 'leading') === 'leading')
        return config.set_alpha_to_one === true ? none : lowest;
      return config.final_sigmas_type === 'zero' ? none : lowest;
    case 'UniPCMultistepScheduler':
      return sigmaMin || config.predict_x0 === false ? lowest : none;
    case 'EulerDiscreteScheduler':
      return sigmaMin ? { a: 1, b: lowest.b / lowest.a } : none;
    default:
      return none;
  }
}

/** Returns whether each step leads to the level of the next stage, which is not always so in diffusers. */
function stepsMeet({ config, options }: Settings): boolean {
  const { solver: name, timestep_spacing, t_index_list, num_inference_steps } = options;
  const ownList = t_index_list !== null && num_inference_steps - t_index_list[0] !== t_index_list.length;
  switch (name) {
    case 'DDIMScheduler':
      return ownList || timestep_spacing === null || timestep_spacing === 'leading';
    case 'DPMSolverV3Scheduler':
      // Its integrals are sums over the grid of the statistics.
      return false;
    case 'PNDMScheduler':
      // Outputs of v-prediction at several levels do not average to one at either.
      if (config.prediction_type === 'v_prediction') return false;
      return ownList || ((timestep_spacing ?? 'leading') === 'leading' && config.skip_prk_steps === true);
    case 'DEISMultistepScheduler':
    case 'UniPCMultistepScheduler':
      // The mean of UniPC's directions, which grow from step to step, lags behind (as in the original).
      if (name === 'UniPCMultistepScheduler' && (options.momentum_beta ?? 1) < 1) return false;
      // If only one noise level is spread, it is both ends of its schedule.
      return (
        num_inference_steps > 1 || !(options.use_karras_sigmas || config.use_exponential_sigmas === true)
      );
    case 'PeRFlowScheduler':
      // Within a window samples are on a line, which passes below the noise level of the training.
      return solverOf({ config, options }).stages.every(({ timestep }) => timestep % 250 === 0);
    default:
      return true;
  }
}

function isDeterministic({ options: { solver: name, algorithm_type, eta, gamma } }: Settings): boolean {
  switch (name) {
    case 'TCDScheduler':
      return gamma === 0;
    case 'DDIMScheduler':
    case 'FlowMatchEulerDiscreteScheduler':
      return eta === 0;
    case 'DPMSolverMultistepScheduler':
      return !algorithm_type.startsWith('sde-');
    case 'LCMScheduler':
    case 'EulerAncestralDiscreteScheduler':
    case 'EulerMaruyamaScheduler':
      return false;
    default:
      return true;
  }
}

function noised({ a, b }: { a: number; b: number }, clean: Float64Array, noise: Float64Array): Float64Array {
  return clean.map((x0, i) => a * x0 + b * noise[i]);
}

function toModel(sample: Float64Array, { inputScale }: Stage): Float64Array {
  return sample.map((value) => value * inputScale);
}

test('with perfectly predicted noise, every solver reaches the image', () => {
  fc.assert(
    fc.property(
      anySettings.filter((settings) => stepsMeet(settings) && endOf(settings).b === 0),
      latent(length),
      latents(length),
      (settings, clean, draw) => {
        const solver = solverOf(settings);
        const history = createHistory(solver, length);
        const [first] = solver.stages;
        const sample = noised(first, clean, draw()).map((value) => value / first.inputScale);
        for (const [i, stage] of solver.stages.entries()) {
          const eps = toModel(sample, stage).map((value, k) => (value - stage.a * clean[k]) / stage.b);
          solver.step({ stage: i, sample, eps, noise: draw(), history, out: sample });
        }
        // LCM's boundary scaling leaves a little of the sample itself.
        assertClose(sample, clean, 1e-4, 'result');
      },
    ),
    { numRuns: cases(500) },
  );
});

test('a deterministic solver keeps a perfectly predicted sample between its image and its noise', () => {
  fc.assert(
    fc.property(anySettings.filter(stepsMeet), latent(length), latent(length), (given, clean, eps) => {
      const settings = { ...given, options: { ...given.options, eta: 0, gamma: 0 } };
      fc.pre(isDeterministic(settings));
      const solver = solverOf(settings);
      assert.equal(solver.addsNoise, false);
      const history = createHistory(solver, length);
      const unused = new Float64Array(length).fill(Number.NaN);
      const [first] = solver.stages;
      const sample = noised(first, clean, eps).map((value) => value / first.inputScale);
      for (const [i, stage] of solver.stages.entries()) {
        assertClose(toModel(sample, stage), noised(stage, clean, eps), tolerance, `model input ${i}`);
        solver.step({ stage: i, sample, eps, noise: unused, history, out: sample });
      }
      assertClose(sample, noised(endOf(settings), clean, eps), tolerance, 'result');
    }),
    { numRuns: cases(500) },
  );
});
