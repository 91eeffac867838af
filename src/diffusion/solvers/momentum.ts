import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { initNoiseSigma } from './euler.js';
import { eps, sum, x, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { adamsBashforth, earlier, remember } from './linear/multistep.js';
import { momentumShare, velocity } from './linear/running-mean.js';
import type { SolverOptions } from '../solver-options.js';
import { discreteLevels } from './paths/discrete.js';
import { levelOfSigma, sigmaPath, sigmaStages } from './paths/sigmas.js';

/** The methods of Wizadwongsa et al. 2024: heavy ball, Nesterov, and generalised heavy ball. */
export type MomentumMethod = 'hb' | 'nt' | 'ghvb';

/** The stages of a path, and the noise-to-signal ratios s = b / a at each of them and at the end. */
export interface MomentumPath {
  readonly stages: readonly Stage[];
  readonly sigmas: readonly number[];
  readonly initNoiseSigma: number;
}

/** Creates linear multistep with momentum, of order 1 to 4. A share of 1 (no momentum) makes it PLMS. */
export function createMomentum(method: MomentumMethod) {
  return (schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver =>
    momentumSolver(
      momentumPath(schedule, config, options),
      method,
      options.solver_order,
      momentumShare(options),
    );
}

/** Returns the path of DDIM (leading), of DPM-Solver (other spacings), or of Euler (Karras sigmas). */
function momentumPath(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): MomentumPath {
  if (options.use_karras_sigmas) {
    const path = sigmaPath(schedule, config, options, { timesteps: 'inclusive', end: 'zero' });
    return {
      stages: sigmaStages(path, 'exploding'),
      sigmas: path.sigmas,
      initNoiseSigma: initNoiseSigma(path),
    };
  }
  if ((options.timestep_spacing ?? config.timestep_spacing ?? 'leading') === 'leading') {
    const { stages, end } = discreteLevels(schedule, config, options);
    return { stages, sigmas: [...stages, end].map(({ a, b }) => b / a), initNoiseSigma: 1 };
  }
  const end = config.final_sigmas_type ?? 'sigma_min';
  const plain = { ...config, use_exponential_sigmas: false, use_beta_sigmas: false };
  const path = sigmaPath(schedule, plain, options, { timesteps: 'exclusive', end });
  return { stages: sigmaStages(path, 'preserving'), sigmas: path.sigmas, initNoiseSigma: 1 };
}

/**
 * Creates the solver of a path: in y = x / a the ODE is dy/ds = eps (section 3), and a step moves y along a direction
 * that remembers earlier ones.
 */
export function momentumSolver(
  { stages, sigmas, initNoiseSigma }: MomentumPath,
  method: MomentumMethod,
  order: number,
  beta: number,
): Solver {
  const rules = stages.map((stage, i): Rule => {
    const { direction, memory } = methods[method](i, order, beta);
    // The scale of samples, in units of y.
    const before = stage.a / stage.inputScale;
    const after = stage.inputScale === 1 ? levelOfSigma(sigmas[i + 1]).a : 1;
    return { next: sum([after / before, x], [after * (sigmas[i + 1] - sigmas[i]), direction]), memory };
  });
  return linearSolver(stages, initNoiseSigma, rules);
}

/** The direction of the step from this index of the path, and what is remembered of it. */
type Method = (
  index: number,
  order: number,
  beta: number,
) => { readonly direction: Form; readonly memory: Readonly<Record<string, Form>> };

const methods: Readonly<Record<MomentumMethod, Method>> = {
  hb: (index, order, beta) => heavyBall(index, order, beta),
  nt: (index, order, beta) => {
    const { ahead, direction, memory } = heavyBall(index, order, beta);
    return { direction: sum([1 - beta, direction], [beta, ahead]), memory };
  },
  ghvb: (index, order, beta) => {
    // The velocity starts at the first output.
    const current = index === 0 ? eps : sum([1 - beta, earlier(1)], [beta, eps]);
    const weights = generalWeights(Math.min(order, index + 1), beta);
    const direction = weighted(weights, current);
    return { direction, memory: remember(Math.max(order - 1, 1), index, current) };
  },
};

/** Averages the sum of Adams and Bashforth over the steps so far (equation 8). */
function heavyBall(index: number, order: number, beta: number) {
  const ahead = weighted(adamsBashforth[Math.min(order, index + 1) - 1], eps);
  const direction = sum([1 - beta, index === 0 ? eps : velocity], [beta, ahead]);
  return { ahead, direction, memory: { ...remember(order - 1, index, eps), velocity: direction } };
}

/** Returns the sum of the last values, newest first, each times its weight. */
function weighted(weights: readonly number[], newest: Form): Form {
  return sum(...weights.map((weight, back) => [weight, back === 0 ? newest : earlier(back)] as const));
}

/** Weights of the last velocities, newest first, of the generalised method of this order; at beta 1, Adams-Bashforth. */
function generalWeights(order: number, beta: number): readonly number[] {
  switch (order) {
    case 1:
      return [1];
    case 2:
      return [2 + beta, beta - 2].map((value) => value / (2 * beta));
    case 3:
      return [18 + 5 * beta, 8 * beta - 24, 6 - beta].map((value) => value / (12 * beta));
    default:
      return [46 + 9 * beta, 19 * beta - 78, 42 - 5 * beta, beta - 10].map((value) => value / (24 * beta));
  }
}
