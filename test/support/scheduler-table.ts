import { solverNames } from '@millrace/protocol';
import type { SchedulerConfig } from '../../src/diffusion/schedule.js';
import { createSolver, SolverError, type SolverOptions } from '../../src/diffusion/solvers/create.js';
import type { Solver } from '../../src/diffusion/types.js';
import { readReferenceJson, type ReferenceCase } from './reference.js';

/** A sampler of diffusers, step by step: the JSON beside the tensors. */
export interface SchedulerTable {
  readonly scheduler: string;
  readonly config: SchedulerConfig & {
    readonly solver_order?: number;
    readonly algorithm_type?: string;
    readonly use_karras_sigmas?: boolean;
    readonly stochastic_sampling?: boolean;
  };
  readonly step_args: Readonly<Record<string, unknown>>;
  readonly set_timesteps_args: Readonly<Record<string, unknown>>;
  readonly begin_index: number;
  /** Positions of the latent, if the noise levels depend on them. */
  readonly latent_area?: number;
  /** By number of steps. */
  readonly runs: Readonly<Record<string, SchedulerRun>>;
  readonly tolerance: string;
}

interface SchedulerRun {
  readonly calls: number;
  readonly init_noise_sigma: number;
  readonly noise_drawn_in_call: readonly number[];
}

export async function readSchedulerTable({ json }: ReferenceCase): Promise<SchedulerTable> {
  return (await readReferenceJson(json)) as SchedulerTable;
}

/** Reads the tolerances that a table states in words: of values, relative above 1, and of timesteps. */
export function tolerances({ tolerance }: SchedulerTable): {
  readonly values: number;
  readonly timesteps: number;
} {
  const values = /<= ([\d.e+-]+) \* max\(1/.exec(tolerance)?.[1];
  const timesteps = /timesteps exact to ([\d.e+-]+)/.exec(tolerance)?.[1];
  if (values === undefined || timesteps === undefined)
    throw new SyntaxError(`cannot read the tolerance: ${tolerance}`);
  return { values: Number(values), timesteps: Number(timesteps) };
}

/** Creates the solver of one run. @throws {SolverError} if its options are not supported. */
export function tableSolver(table: SchedulerTable, steps: number): Solver {
  const { config, scheduler, step_args: step, set_timesteps_args: set, begin_index: begin } = table;
  const name = solverNames.find((candidate) => candidate === scheduler);
  if (name === undefined) throw new SolverError('solver', `${scheduler} is unknown`);
  // Heun's schedule in diffusers has two entries for each step.
  const first = name === 'HeunDiscreteScheduler' ? begin / 2 : begin;
  const originalSteps = set['original_inference_steps'] ?? config.original_inference_steps;
  const trained = config.num_train_timesteps ?? 1000;
  const given = set['timesteps'] as readonly number[] | undefined;
  return createSolver(
    { ...config, original_inference_steps: given ? trained : (originalSteps as number | undefined) },
    {
      solver: name,
      // A list of timesteps is a list of positions in the schedule of all timesteps.
      ...(given
        ? {
            num_inference_steps: trained,
            t_index_list: given.map((timestep) => trained - 1 - timestep),
            timestep_spacing: 'trailing',
          }
        : {
            num_inference_steps: steps,
            t_index_list: begin === 0 ? null : Array.from({ length: steps - first }, (_, i) => first + i),
            timestep_spacing: null,
          }),
      solver_order: (config.solver_order ?? 2) as SolverOptions['solver_order'],
      algorithm_type: (config.algorithm_type ?? 'dpmsolver++') as SolverOptions['algorithm_type'],
      use_karras_sigmas: config.use_karras_sigmas ?? false,
      // TCD's gamma is called eta in diffusers.
      eta: config.stochastic_sampling === true ? 1 : ((step['eta'] ?? 0) as number),
      gamma: (step['eta'] ?? 0.3) as number,
      do_add_noise: true,
      ...(table.latent_area !== undefined && { latentArea: table.latent_area }),
    },
  );
}

/** Returns what no solver here supports of a table; null if all is supported. */
export function unsupportedReason(table: SchedulerTable): string | null {
  const { scheduler, config, begin_index: begin, set_timesteps_args: set } = table;
  const stepArgument = Object.keys(table.step_args).find((name) => name !== 'eta');
  if (stepArgument !== undefined) return `step takes no ${stepArgument}`;
  const argument = Object.keys(set).find(
    (name) => name !== 'original_inference_steps' && name !== 'timesteps',
  );
  if (argument !== undefined) return `the schedule takes no ${argument}`;
  if (scheduler === 'TCDScheduler' && set['original_inference_steps'] !== undefined) {
    return 'TCD takes original_inference_steps only from the configuration';
  }
  if (scheduler === 'HeunDiscreteScheduler' && begin % 2 === 1) return 'Heun cannot start within a step';
  if ((config.solver_order ?? 2) > 3) return 'orders above 3 are not supported';
  try {
    for (const steps of Object.keys(table.runs)) tableSolver(table, Number(steps));
  } catch (error) {
    if (error instanceof SolverError && error.field === 'solver') return error.message;
    throw error;
  }
  return null;
}
