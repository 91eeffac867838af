import { flag } from './parts.js';
import type { ParameterSchema } from './parameter-schema.js';

/** Names of the solvers: those of their classes in diffusers. */
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
  'GHVBScheduler',
  'PLMSWithHBScheduler',
  'PLMSWithNTScheduler',
  'FlowMatchEulerDiscreteScheduler',
  'FlowMatchHeunDiscreteScheduler',
  'PeRFlowScheduler',
  'BDIAScheduler',
  'DPMSolverV3Scheduler',
  'EulerMaruyamaScheduler',
] as const;
export type SolverName = (typeof solverNames)[number];

/** The solvers that add noise between steps, if their options say so. */
export const noiseAddingSolvers = [
  'LCMScheduler',
  'TCDScheduler',
  'DDIMScheduler',
  'EulerAncestralDiscreteScheduler',
  'DPMSolverMultistepScheduler',
  'FlowMatchEulerDiscreteScheduler',
  'EulerMaruyamaScheduler',
] as const;
const momentumSolvers = ['GHVBScheduler', 'PLMSWithHBScheduler', 'PLMSWithNTScheduler'] as const;
const flowSolvers = ['FlowMatchEulerDiscreteScheduler', 'FlowMatchHeunDiscreteScheduler'] as const;

/** The solvers that honour each option of solvers. A test compares this table with the behaviour of each solver. */
const solversWith = {
  timestep_spacing: [
    'DDIMScheduler',
    'EulerDiscreteScheduler',
    'EulerAncestralDiscreteScheduler',
    'HeunDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
    'PNDMScheduler',
    ...momentumSolvers,
    ...flowSolvers,
    'BDIAScheduler',
    'EulerMaruyamaScheduler',
  ],
  solver_order: [
    'DPMSolverMultistepScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
    ...momentumSolvers,
    'DPMSolverV3Scheduler',
  ],
  algorithm_type: ['DPMSolverMultistepScheduler'],
  use_karras_sigmas: [
    'EulerDiscreteScheduler',
    'HeunDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
    ...momentumSolvers,
    'FlowMatchEulerDiscreteScheduler',
    'EulerMaruyamaScheduler',
  ],
  momentum_beta: ['DPMSolverMultistepScheduler', 'UniPCMultistepScheduler', ...momentumSolvers],
  use_corrector: ['DPMSolverV3Scheduler'],
  bdia_gamma: ['BDIAScheduler'],
  flow_shift: flowSolvers,
  eta: ['DDIMScheduler', 'FlowMatchEulerDiscreteScheduler'],
  gamma: ['TCDScheduler'],
  do_add_noise: ['LCMScheduler'],
} as const satisfies Readonly<Record<string, readonly SolverName[]>>;
type SolverOption = keyof typeof solversWith;

/** The solver and its options. */
export const solverParameters = {
  solver: {
    title: 'Solver',
    description: 'The solver, named after its class in diffusers.',
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver_schedule: [null] },
    default: 'LCMScheduler',
    enum: solverNames,
  },
  /** A term of Liu et al. 2023. */
  solver_schedule: {
    title: 'Solver of each step',
    description:
      'The names of solvers, one per step from the first: the last one makes all further steps, and surplus ones none. Solvers that differ must ask the model at the same times, as most do with trailing spacing. null: solver makes all steps.',
    'x-group': 'more',
    'x-applies': ['plan'],
    default: null,
    type: ['array', 'null'],
    minItems: 1,
    maxItems: 50,
    items: { type: 'string', enum: solverNames },
  },
  timestep_spacing: {
    title: 'Timestep spacing',
    description: `How the schedule is spread over the training timesteps; null for the default of the solver, trailing where solvers differ from step to step. ${listSolversWithout('timestep_spacing')} ignore it.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.timestep_spacing },
    default: null,
    enum: ['leading', 'trailing', 'linspace', null],
  },
  solver_order: {
    title: 'Solver order',
    description: `Order of ${listSolversWith('solver_order')}; 4 only with ${listSolvers(momentumSolvers)}.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.solver_order },
    default: 2,
    enum: [1, 2, 3, 4],
  },
  algorithm_type: {
    title: 'Algorithm',
    description: `Variant of ${listSolversWith('algorithm_type')}.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.algorithm_type },
    default: 'dpmsolver++',
    enum: ['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'],
  },
  use_karras_sigmas: {
    title: 'Karras sigmas',
    description: `Spread the noise levels as in Karras et al. 2022 (${listSolversWith('use_karras_sigmas')}).`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.use_karras_sigmas },
    default: false,
    ...flag,
  },
  momentum_beta: {
    title: 'Momentum',
    description: `Share of the newest direction in the running mean that steps follow: 1 is without momentum, 0.5 to 0.9 sensible, and less smooths more (${listSolversWith('momentum_beta')}).`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.momentum_beta },
    default: 1,
    type: 'number',
    minimum: 0.05,
    maximum: 1,
  },
  /** Models have shifts of 1 to 6. */
  flow_shift: {
    title: 'Shift',
    description: `How far the noise levels of ${listSolversWith('flow_shift')} are moved towards much noise: 1 is not at all, 0 the shift of the model.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.flow_shift },
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 12,
  },
  use_corrector: {
    title: 'Corrector',
    description: `Correct each sample by the prediction for it (${listSolversWith('use_corrector')}).`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.use_corrector },
    default: true,
    ...flag,
  },
  /** 0 is DDIM. */
  bdia_gamma: {
    title: 'Backward share',
    description: `How much the step backwards counts in ${listSolversWith('bdia_gamma')}: 0.5 for few steps, 1 for 40.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.bdia_gamma },
    default: 0.5,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  /** 0 is deterministic, 1 as random as DDPM. */
  eta: {
    title: 'Eta',
    description: `Randomness of ${listSolversWith('eta')}.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.eta },
    default: 0,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  /** 0 is deterministic, 1 full re-noising. */
  gamma: {
    title: 'Gamma',
    description: `Randomness of ${listSolversWith('gamma')}.`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.gamma },
    default: 0.3,
    type: 'number',
    minimum: 0,
    maximum: 1,
  },
  do_add_noise: {
    title: 'Re-noise',
    description: `Add noise again between steps (${listSolversWith('do_add_noise')}).`,
    'x-group': 'more',
    'x-applies': ['plan'],
    'x-when': { solver: solversWith.do_add_noise },
    default: true,
    ...flag,
  },
} as const satisfies Readonly<Record<string, ParameterSchema>>;

/** The parameters of a solver: itself and its options. */
export const solverParameterNames = Object.keys(
  solverParameters,
) as readonly (keyof typeof solverParameters)[];

/** Returns the solvers that parameters name: those of a schedule, or else the one for all steps. */
export function chosenSolvers<Name>(parameters: {
  readonly solver: Name;
  readonly solver_schedule: readonly Name[] | null;
}): readonly Name[] {
  return parameters.solver_schedule ?? [parameters.solver];
}

/** Lists the solvers that honour an option, for people. */
function listSolversWith(option: SolverOption): string {
  return listSolvers(solversWith[option]);
}

/** Lists the solvers that ignore an option, for people. */
function listSolversWithout(option: SolverOption): string {
  const honouring: readonly SolverName[] = solversWith[option];
  return listSolvers(solverNames.filter((name) => !honouring.includes(name)));
}

/** Lists solvers for people. */
export function listSolvers(names: readonly SolverName[]): string {
  const short = names.map((name) => name.replace(/Scheduler$/, ''));
  return short.join(', ').replace(/, ([^,]*)$/, ' and $1');
}
