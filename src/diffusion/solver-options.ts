import type { TimestepSpacing } from './schedule.js';

/** Solvers, named as their classes in diffusers. */
export type SolverName =
  | 'LCMScheduler'
  | 'TCDScheduler'
  | 'DDIMScheduler'
  | 'EulerDiscreteScheduler'
  | 'EulerAncestralDiscreteScheduler'
  | 'HeunDiscreteScheduler'
  | 'DPMSolverMultistepScheduler'
  | 'DEISMultistepScheduler'
  | 'UniPCMultistepScheduler'
  | 'PNDMScheduler'
  | 'GHVBScheduler'
  | 'PLMSWithHBScheduler'
  | 'PLMSWithNTScheduler'
  | 'FlowMatchEulerDiscreteScheduler'
  | 'FlowMatchHeunDiscreteScheduler'
  | 'PeRFlowScheduler'
  | 'BDIAScheduler'
  | 'DPMSolverV3Scheduler'
  | 'EulerMaruyamaScheduler';

/**
 * The user's choice of solver and its settings, by their names in diffusers. A solver ignores settings that it does not
 * have; `solversWith` of the protocol lists the solvers that have each.
 */
export interface SolverOptions {
  readonly solver: SolverName;
  /**
   * The solver of each step, instead: the last one makes all further steps, and surplus ones none. null or absent:
   * `solver` makes all.
   */
  readonly solver_schedule?: readonly SolverName[] | null;
  /** Length of the schedule, 1 to the number of training timesteps (LCM, TCD: to `original_inference_steps`). */
  readonly num_inference_steps: number;
  /**
   * Positions in the schedule, ascending; null takes all. A list without gaps up to the end is the schedule entered
   * late (diffusers: `begin_index`, image-to-image); any other list is a custom schedule (diffusers: `timesteps`),
   * stepping from each of its timesteps to the next.
   */
  readonly t_index_list: readonly number[] | null;
  /** null: that of the model's configuration, or else the solver's default. */
  readonly timestep_spacing: TimestepSpacing | null;
  /** Most model outputs that a multistep solver uses in one step. */
  readonly solver_order: 1 | 2 | 3 | 4;
  readonly algorithm_type: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
  /** Whether noise levels are spread as in Karras et al. 2022. */
  readonly use_karras_sigmas: boolean;
  /** From 0 (deterministic) to 1 (as random as DDPM). */
  readonly eta: number;
  /** From 0 (deterministic) to 1 (full re-noising). */
  readonly gamma: number;
  /** Share of the newest direction in the running mean that momentum steps along, above 0, to 1 (no momentum). Default: 1. */
  readonly momentum_beta?: number;
  /** Weight of the step backwards in BDIA, from 0 (DDIM) to 1. Default: 0.5. */
  readonly bdia_gamma?: number;
  /** DPM-Solver-v3: whether each sample is corrected by the prediction for it. Default: true. */
  readonly use_corrector?: boolean;
  /** Whether noise is added between steps (StreamDiffusion: `do_add_noise`). */
  readonly do_add_noise: boolean;
  /** Flow matching: the shift of noise levels, above 0; 0 takes that of the model. Default: 0. */
  readonly flow_shift?: number;
  /** Positions of the latent, for a shift that depends on them. Default: 4096, a picture of 512 x 512 pixels. */
  readonly latentArea?: number;
  /** LCM: false disables boundary scaling (c_skip 0, c_out 1), as SD-Turbo requires. Default: true. */
  readonly boundaryScaling?: boolean;
}

/** A setting is invalid, or unsupported with the model's configuration. */
export class SolverError extends Error {
  override readonly name = 'SolverError';
  /** Name of the invalid parameter in the protocol. */
  readonly field: string;

  /** @param message the allowed range and the given value. */
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}
