import type { SolverName } from './solvers.js';

/** One text of a blended prompt. */
export interface WeightedPrompt {
  readonly text: string;
  /** Weight of this text in the blend; only ratios matter, and at least one must be above 0. */
  readonly weight: number;
}

/** One seed of blended noise. */
export interface WeightedSeed {
  readonly seed: number;
  readonly weight: number;
}

/**
 * Everything that a client can set on its stream, at the start (`hello`) or at any frame (`update`).
 * Names follow StreamDiffusion and diffusers. Ranges and defaults are in `parametersSchema`.
 */
export interface StreamParameters {
  readonly mode: 'img2img' | 'txt2img';
  /** A text, or texts blended by weight. */
  readonly prompt: string | readonly WeightedPrompt[];
  readonly prompt_blend: 'lerp' | 'slerp';
  readonly negative_prompt: string;
  /** Length of the transition to a new prompt; 0 changes at once. The longer of the two applies. */
  readonly transition_frames: number;
  readonly transition_seconds: number;
  readonly seed: number | readonly WeightedSeed[];
  readonly noise: 'fixed' | 'drift';
  /** With `noise: drift`: how far the noise advances per frame, as a fraction of the way from one draw to the next. */
  readonly noise_drift: number;
  readonly cfg_type: 'none' | 'full' | 'self' | 'initialize';
  readonly guidance_scale: number;
  readonly delta: number;
  /** How much of the picture may change: the fraction of the schedule that is run. Used when t_index_list is null. */
  readonly strength: number;
  /** Number of denoising steps. Used when t_index_list is null. */
  readonly steps: number;
  /** Positions in the schedule of num_inference_steps, ascending, one per step; null: from strength and steps. */
  readonly t_index_list: readonly number[] | null;
  readonly num_inference_steps: number;
  readonly solver: SolverName;
  readonly timestep_spacing: 'leading' | 'trailing' | 'linspace' | null;
  readonly solver_order: 1 | 2 | 3;
  readonly algorithm_type: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
  readonly use_karras_sigmas: boolean;
  /** 0 is deterministic, 1 as random as DDPM. */
  readonly eta: number;
  /** 0 is deterministic, 1 full re-noising. */
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
  /** With `mode: txt2img`: images per second; 0 for as many as possible. */
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
  /** Where a page shows it: `main` always, `more` on request. */
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
