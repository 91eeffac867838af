import {
  hasEffect,
  parameterSchemas,
  solverParameterNames,
  type SolverName,
  type StreamParameters,
} from '@millrace/protocol';
import type { SchedulerConfig } from '../../diffusion/schedule.js';
import { createSolver, solversFor, SolverError } from '../../diffusion/solvers/create.js';

/** The parameters that tune chooses: solver, its options, and times. */
export type Candidate = Pick<
  StreamParameters,
  (typeof solverParameterNames)[number] | 'num_inference_steps' | 't_index_list'
>;

/** What the candidates of a search have in common. */
export interface Space {
  readonly scheduler: SchedulerConfig;
  /** The parameters of the model. */
  readonly usual: StreamParameters;
  /** How much of the picture may change, above 0, to 1. */
  readonly strength: number;
}

/** Values to try of each option of solvers; that of the schedule is tried from the start. */
const optionValues = {
  solver_order: [1, 2, 3, 4],
  algorithm_type: ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'],
  momentum_beta: [0.7, 0.8, 0.9, 1],
  flow_shift: [0, 1, 3, 6],
  use_corrector: [true, false],
  bdia_gamma: [0, 0.25, 0.5, 0.75, 1],
  eta: [0, 0.5, 1],
  gamma: [0, 0.3, 1],
  do_add_noise: [true, false],
} as const satisfies { readonly [Name in keyof Candidate]?: readonly Candidate[Name][] };

/** Times of steps run from the start to 0 as (1 - i / n)^power. */
const powers = [1, 0.6, 1.6];
/** Start of the times, as a share of the strength. */
const starts = [1, 0.85, 1.2];
/** Schedules: of all training timesteps, and of 50 steps, where those of distilled models end. */
const schedules = [
  { timestep_spacing: 'trailing', length: 1000 },
  { timestep_spacing: 'leading', length: 50 },
] as const;

/** Returns one candidate for each solver that suits the model, with even times and default options. */
export function plainCandidates(space: Space, calls: number): readonly Candidate[] {
  return solversFor(space.scheduler).flatMap((solver) => plainCandidate(space, solver, calls) ?? []);
}

/** Returns the one with this solver, which must suit the model; undefined if it cannot make this number of calls. */
export function plainCandidate(space: Space, solver: SolverName, calls: number): Candidate | undefined {
  return spread(space, { solver, calls, power: 1, start: 1 })[0];
}

/** Returns the coarse grid: solvers, spacings of the schedule, starts and spreads of the times. */
export function coarseGrid(space: Space, calls: number): readonly Candidate[] {
  const shapes = starts.flatMap((start) => powers.map((power) => ({ start, power })));
  const all = solversFor(space.scheduler).flatMap((solver) =>
    shapes.flatMap((shape) => spread(space, { solver, calls, ...shape })),
  );
  return unique(all);
}

/** Returns the candidate with each other value of each option that its solver has. */
export function withOptions({ scheduler }: Space, candidate: Candidate, calls: number): readonly Candidate[] {
  const all = Object.entries(optionValues).flatMap(([name, values]) => {
    if (!hasEffect(parameterSchemas[name as keyof typeof optionValues], candidate)) return [];
    return values.map((value): Candidate => ({ ...candidate, [name]: value }));
  });
  const own = JSON.stringify(candidate);
  return all.filter((one) => JSON.stringify(one) !== own && callsOf(scheduler, one) === calls);
}

/** Returns the candidate with each time moved by these shares of the schedule; null if they fall together. */
export function withMovedTimes(candidate: Candidate, shares: readonly number[]): Candidate | null {
  const { t_index_list: list, num_inference_steps: length } = candidate;
  const moved = (list ?? []).map((position, i) =>
    Math.min(length - 1, Math.max(0, position + Math.round((shares[i] ?? 0) * length))),
  );
  const times = moved.toSorted((a, b) => a - b);
  return new Set(times).size === times.length ? { ...candidate, t_index_list: times } : null;
}

/** Returns the number of U-Net calls of a candidate; null if the model cannot be run so. */
export function callsOf(scheduler: SchedulerConfig, candidate: Candidate): number | null {
  try {
    return createSolver(scheduler, candidate).stages.length;
  } catch (error) {
    if (error instanceof SolverError) return null;
    throw error;
  }
}

/** Returns the changes that make the reference: a hundred steps of the plainest solver, from the same strength. */
export function referenceFor({ scheduler, usual, strength }: Space): Candidate {
  const fitting = solversFor(scheduler);
  const plain: readonly SolverName[] = ['DDIMScheduler', 'FlowMatchEulerDiscreteScheduler'];
  const solver = plain.find((name) => fitting.includes(name)) ?? fitting[0] ?? usual.solver;
  const trained = scheduler.mean_reverting?.T ?? scheduler.num_train_timesteps ?? 1000;
  const length = Math.min(trained, Math.round(100 / strength));
  const count = Math.max(1, Math.min(100, Math.round(strength * length)));
  return {
    ...candidateOf(usual),
    solver,
    solver_schedule: null,
    eta: 0,
    use_karras_sigmas: false,
    timestep_spacing: 'trailing',
    num_inference_steps: length,
    t_index_list: Array.from({ length: count }, (_, i) => length - count + i),
  };
}

/** Returns the part of parameters that a candidate is. */
export function candidateOf(parameters: StreamParameters): Candidate {
  const { num_inference_steps, t_index_list } = parameters;
  const options = solverParameterNames.map((name) => [name, parameters[name]] as const);
  return { ...(Object.fromEntries(options) as Candidate), num_inference_steps, t_index_list };
}

interface Shape {
  readonly solver: SolverName;
  readonly calls: number;
  readonly power: number;
  readonly start: number;
}

/** Returns the candidates of a shape that make exactly this many calls, one for each schedule that fits. */
function spread({ scheduler, usual, strength }: Space, { solver, calls, power, start }: Shape): Candidate[] {
  const defaults = Object.fromEntries(
    solverParameterNames.map((name) => [name, parameterSchemas[name].default]),
  );
  const from = Math.min(1, strength * start);
  const found: Candidate[] = [];
  const isSpaced = hasEffect(parameterSchemas.timestep_spacing, { solver });
  for (const { length, ...spacing } of schedules) {
    const timestep_spacing = isSpaced ? spacing.timestep_spacing : null;
    // Solvers with two calls a step have fewer times than calls.
    for (let count = calls; count > 0; count--) {
      const list = Array.from({ length: count }, (_, i) =>
        Math.min(length - 1, Math.round((1 - from * (1 - i / count) ** power) * length)),
      );
      const times = { num_inference_steps: length, t_index_list: list };
      const candidate: Candidate = { ...candidateOf(usual), ...defaults, solver, timestep_spacing, ...times };
      if (callsOf(scheduler, candidate) !== calls) continue;
      found.push(candidate);
      break;
    }
  }
  return found;
}

function unique(candidates: readonly Candidate[]): readonly Candidate[] {
  return [...new Map(candidates.map((one) => [JSON.stringify(one), one])).values()];
}
