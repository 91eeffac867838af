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

/** What a user chooses about a solver; settings that a solver does not have are ignored by it. */
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
  /** DPM-Solver, DEIS, UniPC. */
  readonly order: 1 | 2 | 3;
  /** DPM-Solver. */
  readonly algorithmType: 'dpmsolver' | 'dpmsolver++' | 'sde-dpmsolver' | 'sde-dpmsolver++';
  /** Euler, Heun, DPM-Solver, DEIS, UniPC. */
  readonly useKarrasSigmas: boolean;
  /** DDIM: 0 deterministic to 1 as random as DDPM. */
  readonly eta: number;
  /** TCD: 0 deterministic to 1 full re-noising. */
  readonly gamma: number;
  /** LCM: whether noise is added again between steps (StreamDiffusion: `do_add_noise`). */
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
