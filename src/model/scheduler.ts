import { createValidator } from '../text/validator.js';
import {
  acceptedPredictions,
  flowClasses,
  predictionOf,
  predictsFlow,
  type Prediction,
} from './flow-scheduler.js';
import { meanRevertingClass, readMeanReverting } from './mean-reverting.js';
import { ModelError } from './model-error.js';
import { readModelJson } from './model-files.js';

export interface SchedulerConfig extends Readonly<Record<string, unknown>> {
  readonly prediction_type: Prediction;
  /** Instead of betas, for a model that restores pictures. */
  readonly mean_reverting?: Awaited<ReturnType<typeof readMeanReverting>>;
}

interface SchedulerFile extends Readonly<Record<string, unknown>> {
  readonly prediction_type?: (typeof acceptedPredictions)[number];
  readonly _class_name?: string;
  readonly num_train_timesteps?: number;
  readonly trained_betas?: readonly number[] | null;
}

const beta = { type: 'number', exclusiveMinimum: 0, exclusiveMaximum: 1 } as const;
const positive = { type: 'number', exclusiveMinimum: 0 } as const;
const share = { type: 'number', minimum: 0, maximum: 1 } as const;
const count = { type: 'integer', minimum: 1 } as const;
const bound = { type: ['number', 'null'], exclusiveMinimum: 0 } as const;
const flags = [
  'rescale_betas_zero_snr',
  'set_alpha_to_one',
  'lower_order_final',
  'euler_at_final',
  'use_exponential_sigmas',
  'use_beta_sigmas',
  'use_lu_lambdas',
  'use_flow_sigmas',
  'use_dynamic_shifting',
  'stochastic_sampling',
  'invert_sigmas',
  'predict_x0',
  'skip_prk_steps',
  'clip_sample',
  'thresholding',
] as const;

const validate = createValidator<SchedulerFile>({
  type: 'object',
  properties: {
    _class_name: { type: 'string' },
    prediction_type: { enum: acceptedPredictions },
    num_train_timesteps: count,
    beta_start: beta,
    beta_end: beta,
    beta_schedule: { enum: ['linear', 'scaled_linear', 'squaredcos_cap_v2', 'sigmoid', 'laplace'] },
    trained_betas: { type: ['array', 'null'], minItems: 1, items: beta },
    timestep_spacing: { enum: ['leading', 'trailing', 'linspace'] },
    steps_offset: { type: 'integer', minimum: 0 },
    final_sigmas_type: { enum: ['zero', 'sigma_min'] },
    interpolation_type: { enum: ['linear', 'log_linear'] },
    timestep_type: { enum: ['discrete', 'continuous'] },
    sigma_min: bound,
    sigma_max: bound,
    original_inference_steps: count,
    timestep_scaling: positive,
    clip_sample_range: positive,
    sample_max_value: positive,
    dynamic_thresholding_ratio: share,
    shift: positive,
    base_shift: positive,
    max_shift: positive,
    base_image_seq_len: count,
    max_image_seq_len: count,
    time_shift_type: { enum: ['exponential', 'linear'] },
    shift_terminal: { ...share, type: ['number', 'null'] },
    num_time_windows: count,
    disable_corrector: { type: 'array', items: { type: 'integer' } },
    ...Object.fromEntries(flags.map((flag) => [flag, { type: 'boolean' }])),
  },
});

/** The betas that diffusers uses if a configuration has none, by the class of the scheduler. */
const usualBetas = { beta_start: 0.0001, beta_end: 0.02, beta_schedule: 'linear' } as const;
const distilledBetas = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'scaled_linear' } as const;
const sigmaBetas = { beta_start: 0.00085, beta_end: 0.012, beta_schedule: 'linear' } as const;
const defaultBetas: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  DDIMScheduler: usualBetas,
  DDIMInverseScheduler: usualBetas,
  DDIMParallelScheduler: usualBetas,
  DDPMScheduler: usualBetas,
  DDPMParallelScheduler: usualBetas,
  DEISMultistepScheduler: usualBetas,
  DPMSolverMultistepScheduler: usualBetas,
  DPMSolverMultistepInverseScheduler: usualBetas,
  DPMSolverSDEScheduler: sigmaBetas,
  DPMSolverSinglestepScheduler: usualBetas,
  EulerAncestralDiscreteScheduler: usualBetas,
  EulerDiscreteScheduler: usualBetas,
  HeunDiscreteScheduler: sigmaBetas,
  KDPM2AncestralDiscreteScheduler: sigmaBetas,
  KDPM2DiscreteScheduler: sigmaBetas,
  LCMScheduler: distilledBetas,
  PeRFlowScheduler: distilledBetas,
  LMSDiscreteScheduler: usualBetas,
  PNDMScheduler: usualBetas,
  SASolverScheduler: usualBetas,
  TCDScheduler: distilledBetas,
  UniPCMultistepScheduler: usualBetas,
};

/** Schedulers of models that were not trained with a beta for each timestep, by their names, and their families. */
const otherFamilies: readonly (readonly [name: RegExp, what: string])[] = [
  [
    /Flow(Match|Map)|RF(Scheduler|$)|^SCM|^Helios/,
    'flow-matching models (Stable Diffusion 3, FLUX and the like)',
  ],
  [/EDM|KarrasVe|^CMStochastic|^Cosine|ScoreSde/, 'models trained on continuous levels of noise (EDM)'],
  [/^CogVideo|^LTX/, 'video models'],
  [/^ConsistencyDecoder/, 'consistency decoders, which do not turn text into pictures on their own'],
  [/^VQ|^Amused|Wuerstchen|^UnCLIP|^IPNDM|^RePaint|^Block|^Discrete|^Entropy/, 'another kind of model'],
];

/** Settings that only models of other families have, even if the file names a class that is known here. */
const otherSettings: readonly (readonly [name: string, on: unknown, what: string])[] = [
  ['use_flow_sigmas', true, 'flow matching'],
  ['use_dynamic_shifting', true, 'flow matching'],
  ['timestep_type', 'continuous', 'continuous levels of noise'],
];

const advice =
  'use a Stable Diffusion 1.x, 2.x, Turbo, LCM or XL model, or the scheduler folder of the model that this one was made from';

/** The scheduler of a model. */
export interface ReadScheduler {
  readonly config: SchedulerConfig;
  /** Settings in the file that are ignored, and why: a sentence each. */
  readonly notes: readonly string[];
}

/**
 * Reads scheduler/scheduler_config.json: the noise that a model was trained on. Missing betas are the defaults of its
 * class in diffusers.
 * @param pipeline `_class_name` of model_index.json.
 * @throws {ModelError} if it is invalid, or from a model that was not trained on a beta for each timestep.
 */
export async function readScheduler(path: string, pipeline: string): Promise<ReadScheduler> {
  const file = await readModelJson(path, validate);
  // The JAX classes have the same configurations.
  const name = file._class_name?.replace(/^Flax/, '') ?? null;
  if (name === meanRevertingClass) {
    const config = { prediction_type: 'epsilon', mean_reverting: await readMeanReverting(path) } as const;
    return { config, notes: [] };
  }
  refuseOtherFamilies(path, name, file);
  const prediction = predictionOf(path, name, pipeline, file.prediction_type);
  const betas = predictsFlow(prediction) ? {} : betasOf(path, name, file);
  // The spacing of a file for noise says nothing of a flow.
  const isLeftOver = predictsFlow(prediction) && !(name !== null && flowClasses.test(name));
  const config = {
    ...betas,
    ...file,
    ...(isLeftOver && { timestep_spacing: 'trailing' }),
    prediction_type: prediction,
  };
  const { trained_betas: trained, num_train_timesteps: count = 1000 } = file;
  if (trained && trained.length !== count) {
    throw new ModelError(
      path,
      `has ${trained.length} trained_betas for ${count} num_train_timesteps; ${advice}`,
    );
  }
  // As in diffusers' StableDiffusionPipeline: the setting is meant for pixels, and a leftover in such files.
  if (file['clip_sample'] !== true || !/^(?:Onnx|ORT)?StableDiffusion(?:Img2Img)?Pipeline$/.test(pipeline)) {
    return { config, notes: [] };
  }
  const notes = [
    'clip_sample in scheduler/scheduler_config.json is ignored, as diffusers does: it is for models that work on pixels',
  ];
  return { config: { ...config, clip_sample: false }, notes };
}

/** @throws {ModelError} if the scheduler is of another family; the message names it. */
function refuseOtherFamilies(path: string, name: string | null, file: SchedulerFile): void {
  const isFlow = name !== null && flowClasses.test(name);
  const family = otherFamilies.find(([pattern]) => name !== null && !isFlow && pattern.test(name));
  if (family) {
    throw new ModelError(path, `${name} is a scheduler of ${family[1]}, which cannot be run here; ${advice}`);
  }
  for (const [setting, on, what] of otherSettings) {
    if (file[setting] !== on || (isFlow && setting === 'use_dynamic_shifting')) continue;
    throw new ModelError(
      path,
      `${setting} is ${JSON.stringify(on)}: the model was trained with ${what}, which cannot be run here; ${advice}`,
    );
  }
  // Video models use shifted noise.
  const shift = file['snr_shift_scale'];
  if (typeof shift === 'number' && shift !== 1) {
    throw new ModelError(path, `snr_shift_scale is ${shift}, which is not supported here; ${advice}`);
  }
}

/** @throws {ModelError} if the file does not say what noise the model was trained on. */
function betasOf(path: string, name: string | null, file: SchedulerFile): Readonly<Record<string, unknown>> {
  const betas = name === null ? undefined : defaultBetas[name];
  if (betas) return betas;
  const given = ['beta_start', 'beta_end', 'beta_schedule'].every((field) => file[field] !== undefined);
  if (given || file.trained_betas) return {};
  const whose = name === null ? 'names no scheduler class' : `${name} is not known here`;
  throw new ModelError(path, `${whose} and has no betas, the noise that the model was trained on; ${advice}`);
}
