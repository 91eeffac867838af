import type { SolverName } from './solvers.js';

/** One text of a blended prompt. */
export interface WeightedPrompt {
  readonly text: string;
  /** Share of this text in the blend; only ratios matter, and not all may be 0. */
  readonly weight: number;
}

/** One seed of blended noise. */
export interface WeightedSeed {
  readonly seed: number;
  readonly weight: number;
}

/**
 * Everything that a client can set on its stream, at the start (`hello`) and at any frame (`update`).
 * Names follow StreamDiffusion and diffusers. Ranges and defaults are in `parametersSchema`.
 */
export interface StreamParameters {
  readonly mode: 'img2img' | 'txt2img';
  /** A text, or texts blended by weight. */
  readonly prompt: string | readonly WeightedPrompt[];
  readonly prompt_blend: 'lerp' | 'slerp';
  readonly negative_prompt: string;
  /** Length of the transition from the old prompt to a new one; 0 changes at once. The longer of the two counts. */
  readonly transition_frames: number;
  readonly transition_seconds: number;
  readonly seed: number | readonly WeightedSeed[];
  readonly noise: 'fixed' | 'drift';
  /** With `noise: drift`: how far the noise turns per frame, as a part of a full turn from one draw to the next. */
  readonly noise_drift: number;
  readonly cfg_type: 'none' | 'full' | 'self' | 'initialize';
  readonly guidance_scale: number;
  readonly delta: number;
  /** How much of the picture may change: the share of the schedule that is run. Used when t_index_list is null. */
  readonly strength: number;
  /** How many denoising steps. Used when t_index_list is null. */
  readonly steps: number;
  /** Positions in the schedule of num_inference_steps, rising, one per denoising step; null: from strength and steps. */
  readonly t_index_list: readonly number[] | null;
  readonly num_inference_steps: number;
  readonly solver: SolverName;
  readonly timestep_spacing: 'leading' | 'trailing' | 'linspace' | null;
  readonly solver_order: 1 | 2 | 3;
  readonly algorithm_type: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
  readonly use_karras_sigmas: boolean;
  /** 0 deterministic, 1 as random as DDPM. */
  readonly eta: number;
  /** 0 deterministic, 1 full re-noising. */
  readonly gamma: number;
  readonly do_add_noise: boolean;
  readonly denoise: 'stream' | 'sequential' | 'auto';
  readonly frame_buffer_size: number;
  readonly similar_image_filter: boolean;
  readonly similar_image_filter_threshold: number;
  readonly similar_image_filter_max_skip_frame: number;
  /** Size of the generated images in pixels, multiples of the model's factor. */
  readonly width: number;
  readonly height: number;
  readonly fit: 'cover' | 'contain' | 'stretch';
  /** With `mode: txt2img`: images per second; 0 makes as many as it can. */
  readonly fps: number;
  readonly quality: number;
  readonly paused: boolean;
}

/** A change of some parameters. */
export type ParameterUpdate = Partial<StreamParameters>;

/** The part of JSON Schema (draft 2020-12) that describes one parameter. */
export interface ParameterSchema {
  readonly title: string;
  readonly description: string;
  /** Where a page shows it: `main` at once, `more` behind a switch. */
  readonly 'x-group': 'main' | 'more';
  readonly default?: unknown;
  readonly type?: string | readonly string[];
  readonly enum?: readonly (string | number | null)[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly multipleOf?: number;
  readonly maxLength?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly items?: object;
  readonly anyOf?: readonly object[];
}
