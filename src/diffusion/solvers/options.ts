import type { TimestepSpacing } from '../schedule.js';

/** Solvers, named as the classes of diffusers. */
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
  | 'PNDMScheduler';

/**
 * What a user chooses about a solver. A solver ignores the settings that it does not have; `solversWith` of the
 * protocol lists those that have each.
 */
export interface SolverOptions {
  readonly name: SolverName;
  /** Length of the schedule, 1 to the number of training timesteps (LCM, TCD: to `original_inference_steps`). */
  readonly numInferenceSteps: number;
  /**
   * Positions in the schedule, rising; null takes the whole. A list that goes on to the end of the schedule
   * without a gap is the schedule entered late (diffusers: `begin_index`, image-to-image); any other is a
   * schedule of its own (diffusers: `timesteps`), from each of its timesteps to the next.
   */
  readonly tIndexList: readonly number[] | null;
  /** null: as the model's configuration says, or else the usual one of the solver. */
  readonly timestepSpacing: TimestepSpacing | null;
  /** The most outputs that a multistep solver uses in one step. */
  readonly order: 1 | 2 | 3;
  readonly algorithmType: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
  /** Whether noise levels are spread as in Karras et al. 2022. */
  readonly useKarrasSigmas: boolean;
  /** 0 deterministic to 1 as random as DDPM. */
  readonly eta: number;
  /** 0 deterministic to 1 full re-noising. */
  readonly gamma: number;
  /** Whether noise is added again between steps (StreamDiffusion: `do_add_noise`). */
  readonly addNoise: boolean;
  /** LCM: false leaves the boundary scaling out (c_skip 0, c_out 1), as SD-Turbo wants it. Default true. */
  readonly boundaryScaling?: boolean;
}

/** A setting, or a combination with the model's configuration, that makes no solver. */
export class SolverError extends Error {
  override readonly name = 'SolverError';
  /** The parameter at fault, as clients name it. */
  readonly field: string;

  /** @param message the allowed range and the value given. */
  constructor(field: string, message: string) {
    super(message);
    this.field = field;
  }
}
