import {
  chosenSolvers,
  solverParameterNames,
  type StreamParameters,
  type WeightedPrompt,
} from '@millrace/protocol';
import type { BlendMethod } from '../../../diffusion/blend.js';
import type { Guidance } from '../../../diffusion/guidance.js';
import type { Plan } from '../../../diffusion/in-flight.js';
import { brownianTime } from '../../../diffusion/brownian.js';
import { MovingNoise } from '../../../diffusion/moving-noise.js';
import { SeededNoise } from '../../../diffusion/noise.js';
import type { SchedulerConfig } from '../../../diffusion/schedule.js';
import { createSolver, SolverError, type SolverOptions } from '../../../diffusion/solvers/create.js';
import { blankStatistics } from '../../../diffusion/statistics.js';
import type { Composition } from '../../../diffusion/superposition.js';
import type { Admission } from '../../../diffusion/stream.js';
import { timeIndices } from '../../../diffusion/time-indices.js';
import type { ModelFolder } from '../../../model/folder.js';
import { ParameterError } from '../../engine.js';
import { volume, type Size } from '../networks/sizes.js';

/** The part of a model that plans depend on. */
export interface PlanModel {
  readonly folder: ModelFolder;
  /** Whether a U-Net call can take rows at several timesteps, as the stream batch requires. */
  readonly mixesTimesteps: boolean;
  latentShape(size: Size): readonly [number, number, number];
}

/** A union of src/diffusion. Does not compile if it has a member that the protocol lacks. */
type Offered<Own extends Protocol, Protocol> = Own;

/**
 * The choices that src/diffusion, which does not know the protocol, lists too. Does not compile, here or where it is
 * used, unless both list the same.
 */
interface Choices {
  readonly solver: Offered<SolverOptions['solver'], StreamParameters['solver']>;
  readonly timestep_spacing: Offered<SolverOptions['timestep_spacing'], StreamParameters['timestep_spacing']>;
  readonly solver_order: Offered<SolverOptions['solver_order'], StreamParameters['solver_order']>;
  readonly algorithm_type: Offered<SolverOptions['algorithm_type'], StreamParameters['algorithm_type']>;
  readonly cfg_type: Offered<Guidance['type'], StreamParameters['cfg_type']>;
  readonly prompt_blend: Offered<BlendMethod, StreamParameters['prompt_blend']>;
  readonly denoise: Offered<Admission['denoise'] | 'auto', StreamParameters['denoise']>;
}

/** @throws {ParameterError} if a parameter is invalid for the model or in combination with others. */
export function createPlan(
  model: Pick<PlanModel, 'folder' | 'latentShape'>,
  parameters: StreamParameters,
): Plan {
  const { folder } = model;
  for (const side of ['width', 'height'] as const) {
    if (parameters[side] % folder.sizeFactor !== 0) {
      throw new ParameterError(
        side,
        `${side} must be a multiple of ${folder.sizeFactor} for the model ${folder.name}, not ${parameters[side]}`,
      );
    }
    const fixed = folder.fixedSize[side] ?? parameters[side];
    if (fixed !== parameters[side]) {
      throw new ParameterError(
        side,
        `${side} must be ${fixed}, the only ${side} that the model ${folder.name} was exported for, ` +
          `not ${parameters[side]}`,
      );
    }
  }
  if (folder.selfGuided && parameters.cfg_type !== 'none') {
    throw new ParameterError(
      'cfg_type',
      `cfg_type must be none for the model ${folder.name}, which guides itself by guidance_scale`,
    );
  }
  if (folder.scheduler['mean_reverting'] !== undefined && parameters.cfg_type !== 'none') {
    throw new ParameterError(
      'cfg_type',
      `cfg_type must be none for the model ${folder.name}, which restores pictures, not ${parameters.cfg_type}`,
    );
  }
  const shape = model.latentShape(parameters);
  const seeds =
    typeof parameters.seed === 'number' ? [{ seed: parameters.seed, weight: 1 }] : parameters.seed;
  requireWeight('seed', seeds);
  const drift = parameters.noise === 'drift' ? parameters.noise_drift : 0;
  const options = { ...solverOptions(parameters), latentArea: shape[1] * shape[2] };
  const { noise, noise_by_time: byTime } = parameters;
  checkStatistics(folder.scheduler, parameters, shape);
  try {
    const solver = createSolver(folder.scheduler, options);
    // Stock noise is not an estimate of a picture: clipping and thresholding would distort it.
    const stockSolver = createSolver(
      { ...withoutStatistics(folder.scheduler), clip_sample: false, thresholding: false },
      { ...options, do_add_noise: true },
    );
    const times = byTime && stockSolver.addsNoise ? solver.stages.map(brownianTime) : null;
    return {
      solver,
      stockSolver,
      prediction: folder.predictionType,
      shape,
      noise:
        noise === 'move'
          ? new MovingNoise(seeds, shape, times)
          : new SeededNoise(seeds, volume(shape), drift, times),
    };
  } catch (error) {
    if (error instanceof SolverError) throw new ParameterError(error.field, error.message);
    throw error;
  }
}

/** Statistics are fitted to pictures, and noise is none. */
function withoutStatistics(config: SchedulerConfig): SchedulerConfig {
  return config.statistics ? { ...config, statistics: blankStatistics(config.statistics) } : config;
}

/** @throws {ParameterError} if the statistics of the model are for latents of another size. */
function checkStatistics(
  { statistics }: SchedulerConfig,
  parameters: Pick<StreamParameters, 'solver' | 'solver_schedule'>,
  shape: Plan['shape'],
): void {
  if (!statistics || !chosenSolvers(parameters).includes('DPMSolverV3Scheduler')) return;
  if (statistics.elements === 1 || statistics.elements === volume(shape)) return;
  throw new ParameterError(
    parameters.solver_schedule ? 'solver_schedule' : 'solver',
    `DPMSolverV3Scheduler has statistics of ${statistics.elements} elements with this model, but latents of ` +
      `${shape.join('x')} have ${volume(shape)}; choose another size, or statistics that are pooled over elements`,
  );
}

/** Returns the options of the solver, whose names are the same. */
function solverOptions(parameters: StreamParameters & Choices): SolverOptions {
  const { t_index_list: list, strength, steps, num_inference_steps } = parameters;
  if (list === null && steps > num_inference_steps) {
    throw new ParameterError(
      'steps',
      `steps is ${steps}, more than num_inference_steps (${num_inference_steps})`,
    );
  }
  return {
    ...pick(parameters, solverParameterNames),
    num_inference_steps,
    t_index_list: list ?? timeIndices(strength, steps, num_inference_steps),
  };
}

function pick<Name extends keyof StreamParameters>(
  parameters: StreamParameters,
  names: readonly Name[],
): Pick<StreamParameters, Name> {
  const values = names.map((name) => [name, parameters[name]] as const);
  return Object.fromEntries(values) as Pick<StreamParameters, Name>;
}

export function guidanceOf({ cfg_type, guidance_scale, delta }: StreamParameters): Guidance {
  return { type: cfg_type, scale: guidance_scale, delta };
}

/** Returns how two prompts are composed by their predictions; null if their embeddings are mixed. */
export function compositionOf(parameters: StreamParameters): Composition | null {
  const { prompt_composition: type } = parameters;
  if (type === 'mix') return null;
  const [first, second] = weightedPrompts(parameters);
  // The weights are the prior odds.
  const bias = Math.log((first?.weight ?? 1) / (second?.weight ?? 1));
  return { type, temperature: 1, bias, lift: 0 };
}

/** @param preferred the value for `auto`. */
export function admissionOf(parameters: StreamParameters, preferred: Admission['denoise']): Admission {
  const { denoise, frame_buffer_size: frameBufferSize, latent_feedback: feedback } = parameters;
  const keepsFinished = parameters.pixel_feedback > 0;
  return { denoise: denoise === 'auto' ? preferred : denoise, frameBufferSize, feedback, keepsFinished };
}

/** @throws {ParameterError} if all weights are 0. */
export function weightedPrompts({ prompt }: StreamParameters): readonly WeightedPrompt[] {
  const prompts = typeof prompt === 'string' ? [{ text: prompt, weight: 1 }] : prompt;
  requireWeight('prompt', prompts);
  return prompts;
}

function requireWeight(field: string, parts: readonly { readonly weight: number }[]): void {
  if (parts.some(({ weight }) => weight > 0)) return;
  throw new ParameterError(field, `at least one weight of ${field} must be above 0`);
}
