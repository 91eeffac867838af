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

/** Names of the solvers, as the classes are called in diffusers. */
export const solverNames = [
  'LCMScheduler',
  'TCDScheduler',
  'DDIMScheduler',
  'EulerDiscreteScheduler',
  'EulerAncestralDiscreteScheduler',
  'HeunDiscreteScheduler',
  'DPMSolverMultistepScheduler',
  'DEISMultistepScheduler',
  'UniPCMultistepScheduler',
  'PNDMScheduler',
] as const;
export type SolverName = (typeof solverNames)[number];

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
  readonly algorithm_type: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver++';
  readonly use_karras_sigmas: boolean;
  /** DDIM's eta: 0 deterministic, 1 as random as DDPM. */
  readonly eta: number;
  /** TCD's gamma: 0 deterministic, 1 full re-noising. */
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

const weight = { type: 'number', minimum: 0, maximum: 1000 } as const;
const seed = { type: 'integer', minimum: 0, maximum: 4294967295 } as const;
const weighted = (key: string, value: object): object => ({
  type: 'array',
  minItems: 1,
  maxItems: 8,
  items: {
    type: 'object',
    properties: { [key]: value, weight },
    required: [key, 'weight'],
    additionalProperties: false,
  },
});
const text = { type: 'string', maxLength: 2000 } as const;
const flag = { type: 'boolean' } as const;

/**
 * Ranges, defaults and descriptions of all parameters: the one source that the server validates with, that
 * `GET /v1/capabilities` publishes (with the model's own defaults and sizes filled in) and that pages build
 * their controls from.
 */
export const parameterProperties: Readonly<Record<keyof StreamParameters, ParameterSchema>> = {
  prompt: {
    title: 'Prompt',
    description: 'What the output should look like: a text, or a list of texts with weights.',
    'x-group': 'main',
    default: '',
    anyOf: [text, weighted('text', text)],
  },
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
  cfg_type: {
    title: 'Guidance',
    description:
      'Classifier-free guidance: none, full (a negative row for each row), self or initialize (residual guidance of StreamDiffusion).',
    'x-group': 'main',
    default: 'none',
    enum: ['none', 'full', 'self', 'initialize'],
  },
  guidance_scale: {
    title: 'Guidance scale',
    description: 'Strength of the guidance; 1 and below means none.',
    'x-group': 'main',
    default: 1.2,
    type: 'number',
    minimum: 0,
    maximum: 20,
  },
  similar_image_filter: {
    title: 'Skip similar frames',
    description: 'Skip frames that hardly differ from the last one, at random by their similarity.',
    'x-group': 'main',
    default: false,
    ...flag,
  },
  negative_prompt: {
    title: 'Negative prompt',
    description: 'What guidance moves away from (full and initialize).',
    'x-group': 'more',
    default: '',
    ...text,
  },
  delta: {
    title: 'Delta',
    description: 'Scale of the virtual residual noise (self and initialize).',
    'x-group': 'more',
    default: 1,
    type: 'number',
    minimum: 0,
    maximum: 2,
  },
  seed: {
    title: 'Seed',
    description: 'Start of all random numbers of the stream: a number, or a list of seeds with weights.',
    'x-group': 'more',
    default: 2,
    anyOf: [seed, weighted('seed', seed)],
  },
  noise: {
    title: 'Noise',
    description: 'fixed: the same noise for every frame; drift: it turns slowly.',
    'x-group': 'more',
    default: 'fixed',
    enum: ['fixed', 'drift'],
  },
  noise_drift: {
    title: 'Noise drift',
    description: 'With noise drift: the part of the way from one noise to the next that a frame takes.',
    'x-group': 'more',
    default: 0.02,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  prompt_blend: {
    title: 'Blend',
    description: 'How prompts are blended: straight (lerp) or along the sphere (slerp).',
    'x-group': 'more',
    default: 'lerp',
    enum: ['lerp', 'slerp'],
  },
  transition_frames: {
    title: 'Transition (frames)',
    description: 'Frames that the way to a new prompt takes.',
    'x-group': 'more',
    default: 0,
    type: 'integer',
    minimum: 0,
    maximum: 1000,
  },
  transition_seconds: {
    title: 'Transition (seconds)',
    description: 'Seconds that the way to a new prompt takes.',
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 60,
  },
  similar_image_filter_threshold: {
    title: 'Similarity threshold',
    description: 'Cosine similarity from which frames may be skipped.',
    'x-group': 'more',
    default: 0.98,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  similar_image_filter_max_skip_frame: {
    title: 'Longest skip',
    description: 'Frames skipped in a row at most.',
    'x-group': 'more',
    default: 10,
    type: 'integer',
    minimum: 0,
    maximum: 1000,
  },
  t_index_list: {
    title: 'Time indices',
    description: 'Positions in the schedule, rising, one per step; null takes them from strength and steps.',
    'x-group': 'more',
    default: null,
    type: ['array', 'null'],
    minItems: 1,
    maxItems: 50,
    items: { type: 'integer', minimum: 0, maximum: 999 },
  },
  num_inference_steps: {
    title: 'Schedule length',
    description: 'Steps of the whole schedule that t_index_list points into.',
    'x-group': 'more',
    default: 50,
    type: 'integer',
    minimum: 1,
    maximum: 1000,
  },
  solver: {
    title: 'Solver',
    description: 'The solver, by the name of its class in diffusers.',
    'x-group': 'more',
    default: 'LCMScheduler',
    enum: solverNames,
  },
  timestep_spacing: {
    title: 'Timestep spacing',
    description: 'How the schedule spreads over the training timesteps; null is the usual one of the solver.',
    'x-group': 'more',
    default: null,
    enum: ['leading', 'trailing', 'linspace', null],
  },
  solver_order: {
    title: 'Solver order',
    description: 'Order of DPMSolverMultistep, DEISMultistep and UniPCMultistep.',
    'x-group': 'more',
    default: 2,
    enum: [1, 2, 3],
  },
  algorithm_type: {
    title: 'Algorithm',
    description: 'Kind of DPMSolverMultistep.',
    'x-group': 'more',
    default: 'dpmsolver++',
    enum: ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver++'],
  },
  use_karras_sigmas: {
    title: 'Karras sigmas',
    description: 'Spread the noise levels as in Karras et al. 2022 (DPMSolverMultistep).',
    'x-group': 'more',
    default: false,
    ...flag,
  },
  eta: {
    title: 'Eta',
    description: 'Randomness of DDIM.',
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  gamma: {
    title: 'Gamma',
    description: 'Randomness of TCD.',
    'x-group': 'more',
    default: 0.3,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  do_add_noise: {
    title: 'Re-noise',
    description: 'Add noise again between steps (LCM).',
    'x-group': 'more',
    default: true,
    ...flag,
  },
  denoise: {
    title: 'Denoising',
    description:
      'stream: the steps of consecutive frames in one batch; sequential: one frame after another; auto: what is faster here.',
    'x-group': 'more',
    default: 'auto',
    enum: ['stream', 'sequential', 'auto'],
  },
  frame_buffer_size: {
    title: 'Frame buffer',
    description: 'Frames that may enter the stream batch together.',
    'x-group': 'more',
    default: 1,
    type: 'integer',
    minimum: 1,
    maximum: 8,
  },
  width: {
    title: 'Width',
    description: 'Width of the output in pixels.',
    'x-group': 'more',
    type: 'integer',
    default: 512,
    minimum: 64,
    maximum: 1024,
    multipleOf: 8,
  },
  height: {
    title: 'Height',
    description: 'Height of the output in pixels.',
    'x-group': 'more',
    type: 'integer',
    default: 512,
    minimum: 64,
    maximum: 1024,
    multipleOf: 8,
  },
  fit: {
    title: 'Fit',
    description: 'How an input of another shape is fitted.',
    'x-group': 'more',
    default: 'cover',
    enum: ['cover', 'contain', 'stretch'],
  },
  mode: {
    title: 'Mode',
    description: 'img2img changes the input; txt2img needs none.',
    'x-group': 'more',
    default: 'img2img',
    enum: ['img2img', 'txt2img'],
  },
  fps: {
    title: 'Images per second',
    description: 'With txt2img: images per second; 0 makes as many as it can.',
    'x-group': 'more',
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 120,
  },
  quality: {
    title: 'JPEG quality',
    description: 'Quality of the images that the server sends.',
    'x-group': 'more',
    default: 85,
    type: 'integer',
    minimum: 1,
    maximum: 100,
  },
  paused: {
    title: 'Paused',
    description: 'Take no frames until it is false again.',
    'x-group': 'more',
    default: false,
    ...flag,
  },
};

/** Per-model values that replace the general defaults and limits of `parametersSchema`. */
export interface ModelParameters {
  readonly defaults?: ParameterUpdate;
  /** Sizes must be multiples of this. */
  readonly sizeFactor?: number;
}

/** JSON Schema of a parameter update, with a model's own defaults and size factor. */
export function parametersSchema(model: ModelParameters = {}): object {
  const properties = Object.fromEntries(
    Object.entries(parameterProperties).map(([name, schema]) => {
      const own = model.defaults?.[name as keyof StreamParameters];
      const factor = name === 'width' || name === 'height' ? model.sizeFactor : undefined;
      return [
        name,
        { ...schema, ...(own !== undefined && { default: own }), ...(factor && { multipleOf: factor }) },
      ];
    }),
  );
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'Parameters of a Millrace stream',
    type: 'object',
    properties,
    additionalProperties: false,
  };
}

/** All parameters with their defaults, the model's own on top. */
export function defaultParameters(model: ModelParameters = {}): StreamParameters {
  const defaults = Object.fromEntries(
    Object.entries(parameterProperties).map(([name, schema]) => [name, schema.default]),
  );
  return { ...(defaults as unknown as StreamParameters), ...model.defaults };
}
