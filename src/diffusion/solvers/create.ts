import { createNoiseSchedule, type NoiseSchedule, type SchedulerConfig } from '../schedule.js';
import type { PredictionType, Solver } from '../types.js';
import { createBdia } from './bdia.js';
import { createDdim } from './ddim.js';
import { createDeis } from './deis.js';
import { createDpmSolver } from './dpm-solver.js';
import { createDpmSolverV3 } from './dpm-solver-v3.js';
import { createEuler, createEulerAncestral, createEulerMaruyama } from './euler.js';
import { createFlowEuler, createFlowHeun } from './flow-match.js';
import { createHeun } from './heun.js';
import { createLcm } from './lcm.js';
import { SolverError, type SolverName, type SolverOptions } from '../solver-options.js';
import { createMeanReverting } from './mean-reverting.js';
import { createMomentum } from './momentum.js';
import { createPerflow } from './perflow.js';
import { createPndm } from './pndm.js';
import { createSolverSchedule } from './solver-schedule.js';
import { createTcd } from './tcd.js';
import { createUniPc } from './unipc.js';

export { SolverError, type SolverName, type SolverOptions } from '../solver-options.js';

type Family = (schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions) => Solver;

const families: Readonly<Record<SolverName, Family>> = {
  LCMScheduler: createLcm,
  TCDScheduler: createTcd,
  DDIMScheduler: createDdim,
  EulerDiscreteScheduler: createEuler,
  EulerAncestralDiscreteScheduler: createEulerAncestral,
  HeunDiscreteScheduler: createHeun,
  DPMSolverMultistepScheduler: createDpmSolver,
  DEISMultistepScheduler: createDeis,
  UniPCMultistepScheduler: createUniPc,
  PNDMScheduler: createPndm,
  GHVBScheduler: createMomentum('ghvb'),
  PLMSWithHBScheduler: createMomentum('hb'),
  PLMSWithNTScheduler: createMomentum('nt'),
  FlowMatchEulerDiscreteScheduler: createFlowEuler,
  FlowMatchHeunDiscreteScheduler: createFlowHeun,
  PeRFlowScheduler: createPerflow,
  BDIAScheduler: createBdia,
  DPMSolverV3Scheduler: createDpmSolverV3,
  EulerMaruyamaScheduler: createEulerMaruyama,
};

const noisePredictions = ['epsilon', 'v_prediction', 'sample'] as const;
const flowPredictions = ['flow', 'reverse_flow'] as const;

/** What models for these solvers predict; those for the others, noise in one of its forms. */
const predictions: Readonly<Partial<Record<SolverName, readonly PredictionType[]>>> = {
  FlowMatchEulerDiscreteScheduler: flowPredictions,
  FlowMatchHeunDiscreteScheduler: flowPredictions,
  PeRFlowScheduler: ['ddim_eps', 'diff_eps', 'velocity'],
};

/** Returns what a model may predict to be run with a solver. */
export function predictionsFor(solver: SolverName): readonly PredictionType[] {
  return predictions[solver] ?? noisePredictions;
}

/** Returns the solvers that suit a model, by what it predicts and the statistics that it has. */
export function solversFor(config: SchedulerConfig): readonly SolverName[] {
  if (config.mean_reverting) return ['DPMSolverMultistepScheduler'];
  const { prediction_type: prediction = 'epsilon', statistics } = config;
  return (Object.keys(families) as SolverName[]).filter(
    (solver) =>
      predictionsFor(solver).includes(prediction) &&
      (solver !== 'DPMSolverV3Scheduler' || statistics !== undefined),
  );
}

/**
 * Creates a solver for a model: all coefficients are computed here, and a step only applies them.
 * @param config the model's scheduler_config.json.
 * @throws {SolverError} if an option is invalid, or the model's configuration is unsupported.
 */
export function createSolver(config: SchedulerConfig, options: SolverOptions): Solver {
  // Both are for models that were not trained as a variance-preserving diffusion with a beta for each timestep.
  if (config.use_flow_sigmas === true || config.timestep_type === 'continuous') {
    const setting = config.use_flow_sigmas === true ? 'use_flow_sigmas' : 'timestep_type "continuous"';
    throw new SolverError('solver', `does not support ${setting} of the model's scheduler configuration`);
  }
  const { solver_schedule: schedule } = options;
  return schedule && schedule.length > 0
    ? createScheduled(config, options, schedule)
    : createPlain(config, options);
}

/** Creates the solver of a model whose steps are made by those of a list. */
function createScheduled(
  config: SchedulerConfig,
  options: SolverOptions,
  schedule: readonly SolverName[],
): Solver {
  const steps = options.t_index_list?.length ?? options.num_inference_steps;
  const used = new Set(schedule.slice(0, steps >= 1 ? steps : 1));
  if (used.size === 1) return createNamed(config, { ...options, solver: schedule[0] });
  // The only spacing that has the same timesteps for most.
  const shared = { ...options, timestep_spacing: options.timestep_spacing ?? 'trailing' } as const;
  const solvers = [...used].map((solver) => [solver, createNamed(config, { ...shared, solver })] as const);
  const last = schedule.length - 1;
  const names = Array.from({ length: steps }, (_, step) => schedule[Math.min(step, last)]);
  return createSolverSchedule(new Map(solvers), names);
}

/** Creates a solver of a schedule, which is to blame if it does not suit the model. */
function createNamed(config: SchedulerConfig, options: SolverOptions): Solver {
  try {
    return createPlain(config, options);
  } catch (error) {
    if (!(error instanceof SolverError) || error.field !== 'solver') throw error;
    throw new SolverError('solver_schedule', error.message);
  }
}

/** Creates the one solver of all steps. */
function createPlain(config: SchedulerConfig, options: SolverOptions): Solver {
  if (config.mean_reverting) return createMeanReverting(config.mean_reverting, options);
  const { solver } = options;
  const { prediction_type: prediction = 'epsilon' } = config;
  if (!predictionsFor(solver).includes(prediction)) {
    throw new SolverError(
      'solver',
      `must be one of ${solversFor(config).join(', ')} with a model that predicts ${prediction}, not ${solver}`,
    );
  }
  return families[solver](noiseScheduleOf(config), config, options);
}

function noiseScheduleOf(config: SchedulerConfig): NoiseSchedule {
  try {
    return createNoiseSchedule(config);
  } catch (error) {
    if (error instanceof RangeError) throw new SolverError('solver', error.message);
    throw error;
  }
}
