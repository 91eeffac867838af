import type { Guidance } from '../../src/diffusion/guidance.js';
import { createSolver } from '../../src/diffusion/solvers/create.js';
import type { Plan } from '../../src/diffusion/in-flight.js';
import type { NoiseSource } from '../../src/diffusion/noise.js';
import type { Admission } from '../../src/diffusion/stream.js';
import type { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readReferenceJson, type ReferenceCase } from '../support/reference.js';
import { readSafeTensors, type SafeTensors } from '../support/safetensors.js';

/** `parameters` of a recorded stream. */
export interface CaseParameters {
  readonly mode: string;
  readonly cfg_type: string;
  readonly t_index_list: readonly number[];
  readonly num_inference_steps: number;
  readonly guidance_scale: number;
  readonly delta: number;
  readonly frame_buffer_size: number;
  readonly width: number;
  readonly height: number;
  readonly do_add_noise: boolean;
  readonly use_denoising_batch: boolean;
  readonly prompt_changes: readonly { readonly frame: number; readonly prompt: string }[];
  readonly frames: number;
  readonly vae_scaling_factor: number;
  readonly timestep_scaling: number;
  /** Share of the result before in each frame; none if absent. */
  readonly latent_feedback?: number | null;
  readonly changes?: readonly { readonly frame: number; readonly latent_feedback?: number }[];
}

interface Tolerances {
  readonly exact: { readonly tensors: readonly string[] };
  readonly schedule: { readonly tol: number };
  readonly one_step: { readonly tol: number };
  readonly free_running: { readonly tol: number };
}

/** A recorded stream with its values. */
export interface RecordedCase {
  readonly name: string;
  readonly parameters: CaseParameters;
  readonly embedRows: readonly { readonly text: string }[];
  readonly tolerances: Tolerances;
  readonly tensors: SafeTensors;
}

const modes = new Set(['img2img', 'txt2img', 'txt2img_sd_turbo']);
const guidanceTypes = new Set(['none', 'full', 'self', 'initialize']);

/** The JSON file of a recorded stream. */
export interface CaseInfo {
  readonly parameters: CaseParameters;
  readonly embed_rows: readonly { readonly text: string }[];
  readonly tolerances: Tolerances;
}

/** Returns the description of a case if it holds a stream, and null for those of the filter or the tokenizer. */
export async function readInfo({ json }: ReferenceCase): Promise<CaseInfo | null> {
  const info = await readReferenceJson(json);
  const isStream = typeof info === 'object' && info !== null && 'parameters' in info && 'embed_rows' in info;
  return isStream ? (info as CaseInfo) : null;
}

/** Returns what this build does not support of a case; null if it supports all. */
export function unsupported({ parameters: { mode, cfg_type } }: CaseInfo): string | null {
  if (!modes.has(mode)) return `mode ${mode}`;
  if (!guidanceTypes.has(cfg_type)) return `cfg_type ${cfg_type}`;
  return null;
}

/**
 * Returns why a recording of the original is not a reference; null if it is. Its sequential mode never advances the
 * stock noise, while here sequential denoising gives the results of the stream batch; with one stage its self guidance
 * feeds the stock noise of one frame to the next, without bound.
 */
export function originalDefect({ parameters }: CaseInfo): string | null {
  const { cfg_type, guidance_scale, t_index_list, use_denoising_batch } = parameters;
  const stages = t_index_list.length;
  if (cfg_type === 'self' && stages === 1 && use_denoising_batch)
    return 'stock noise is passed from frame to frame';
  if (guidance_scale <= 1 || use_denoising_batch) return null;
  if (cfg_type === 'self') return 'stock noise stays 0 in sequential mode';
  if (cfg_type === 'initialize' && stages > 1)
    return 'no stock noise in sequential mode: a negative row at each step';
  return null;
}

export async function readCase({ name, tensors }: ReferenceCase, info: CaseInfo): Promise<RecordedCase> {
  const { parameters, embed_rows: embedRows, tolerances } = info;
  return { name, parameters, embedRows, tolerances, tensors: await readSafeTensors(tensors) };
}

/** Returns one entry along the first axes of a recorded tensor. */
export function slice(tensors: SafeTensors, name: string, ...index: readonly number[]): Float32Array {
  const shape = tensors.shape(name);
  const values = tensors.floats(name);
  let start = 0;
  let length = values.length;
  index.forEach((position, axis) => {
    length /= shape[axis];
    start += position * length;
  });
  return values.subarray(start, start + length);
}

/** Returns the plan that serves users, with the noise that was drawn when the case was recorded. */
export function planOf({ parameters, tensors }: RecordedCase, runtime: ModelRuntime): Plan {
  const config = { ...runtime.folder.scheduler, timestep_scaling: parameters.timestep_scaling };
  const options = {
    solver: 'LCMScheduler',
    num_inference_steps: parameters.num_inference_steps,
    t_index_list: parameters.t_index_list,
    timestep_spacing: null,
    solver_order: 2,
    algorithm_type: 'dpmsolver++',
    use_karras_sigmas: false,
    eta: 0,
    gamma: 0,
    do_add_noise: parameters.do_add_noise,
    boundaryScaling: parameters.mode !== 'txt2img_sd_turbo',
  } as const;
  const stages = parameters.t_index_list.length;
  const shape = runtime.latentShape(parameters);
  // In sequential mode all draws of a frame have one name: the start of txt2img, then one for each step that
  // re-noises.
  const startsDrawn = parameters.mode === 'img2img' || tensors.has('x_t') ? 0 : 1;
  const silence = new Float32Array(shape[0] * shape[1] * shape[2]);
  const drawn = (name: string, ordinal: number, ...step: readonly number[]): Float32Array => {
    const { frame_buffer_size: buffer } = parameters;
    return slice(tensors, name, Math.floor(ordinal / buffer), ...step, ordinal % buffer);
  };
  const noise: NoiseSource = {
    at(stage, ordinal) {
      if (stage > 0 && stage < stages && !parameters.use_denoising_batch) {
        return parameters.do_add_noise ? drawn('renoise', ordinal, startsDrawn + stage - 1) : silence;
      }
      // After the last stage nothing is re-noised; the recordings wrap around to z_0 there.
      return slice(tensors, 'init_noise', stage % stages);
    },
    start: (ordinal) => (startsDrawn === 1 ? drawn('renoise', ordinal, 0) : drawn('x_t', ordinal)),
  };
  return {
    solver: createSolver(config, options),
    stockSolver: createSolver(config, { ...options, do_add_noise: true }),
    prediction: runtime.folder.predictionType,
    shape,
    noise,
  };
}

export function guidanceOf({ cfg_type, guidance_scale, delta }: CaseParameters): Guidance {
  return { type: cfg_type as Guidance['type'], scale: guidance_scale, delta };
}

/** Returns how frames enter from frame `k` on. */
export function admissionOf(parameters: CaseParameters, k = 0): Admission {
  const { use_denoising_batch, frame_buffer_size, latent_feedback, changes = [] } = parameters;
  const changed = changes.findLast((change) => change.frame <= k && change.latent_feedback !== undefined);
  return {
    denoise: use_denoising_batch ? 'stream' : 'sequential',
    frameBufferSize: frame_buffer_size,
    feedback: changed?.latent_feedback ?? latent_feedback ?? 0,
  };
}
