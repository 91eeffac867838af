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
] as const;
export type SolverName = (typeof solverNames)[number];

/**
 * The solvers that honour each option; options not listed are honoured by all. The schema's texts and the page use this
 * table; a test compares it with the behaviour of each solver.
 */
export const solversWith = {
  timestep_spacing: [
    'DDIMScheduler',
    'EulerDiscreteScheduler',
    'EulerAncestralDiscreteScheduler',
    'HeunDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
    'PNDMScheduler',
  ],
  solver_order: ['DPMSolverMultistepScheduler', 'DEISMultistepScheduler', 'UniPCMultistepScheduler'],
  algorithm_type: ['DPMSolverMultistepScheduler'],
  use_karras_sigmas: [
    'EulerDiscreteScheduler',
    'HeunDiscreteScheduler',
    'DPMSolverMultistepScheduler',
    'DEISMultistepScheduler',
    'UniPCMultistepScheduler',
  ],
  eta: ['DDIMScheduler'],
  gamma: ['TCDScheduler'],
  do_add_noise: ['LCMScheduler'],
} as const satisfies Readonly<Record<string, readonly SolverName[]>>;
export type SolverOption = keyof typeof solversWith;

/** Lists the solvers that honour an option, for people. */
export function listSolversWith(option: SolverOption): string {
  return list(solversWith[option]);
}

/** Lists the solvers that ignore an option, for people. */
export function listSolversWithout(option: SolverOption): string {
  const honouring: readonly SolverName[] = solversWith[option];
  return list(solverNames.filter((name) => !honouring.includes(name)));
}

function list(names: readonly SolverName[]): string {
  const short = names.map((name) => name.replace(/Scheduler$/, ''));
  return short.join(', ').replace(/, ([^,]*)$/, ' and $1');
}
