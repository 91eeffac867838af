import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { eps, sum, x, z } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import type { SolverOptions } from '../solver-options.js';
import { sigmaPath, sigmaStages, type SigmaPath } from './paths/sigmas.js';

// Samples are x0 + sigma z, so dx/dsigma = eps (Karras et al. 2022, equations 1 and 3).

/** Creates Euler's method (Karras et al. 2022, algorithm 1 without its second-order part). */
export function createEuler(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const path = sigmaPath(schedule, config, options, {
    timesteps: 'inclusive',
    end: config.final_sigmas_type ?? 'zero',
    bounded: true,
    logLinear: config.interpolation_type === 'log_linear',
  });
  const rules = path.timesteps.map((_, i): Rule => ({
    next: sum([1, x], [path.sigmas[i + 1] - path.sigmas[i], eps]),
  }));
  return linearSolver(sigmaStages(path, 'exploding'), initNoiseSigma(path), rules);
}

/** Creates Euler's method with ancestral sampling: steps below the next noise level and adds noise up to it. */
export function createEulerAncestral(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const path = sigmaPath(
    schedule,
    { ...config, use_exponential_sigmas: false, use_beta_sigmas: false },
    { ...options, use_karras_sigmas: false },
    {
      timesteps: 'inclusive',
      end: 'zero',
    },
  );
  const rules = path.timesteps.map((_, i): Rule => {
    const from = path.sigmas[i];
    const to = path.sigmas[i + 1];
    const up = to * Math.sqrt(1 - (to / from) ** 2);
    const down = to ** 2 / from;
    return { next: sum([1, x], [down - from, eps], [up, z]) };
  });
  return linearSolver(sigmaStages(path, 'exploding'), initNoiseSigma(path), rules);
}

/**
 * Creates Euler and Maruyama's method for the SDE: each step goes twice as far as Euler's, and adds the noise that this
 * takes away too much. It needs 20 steps and more, but densities can be followed along it (superposition.ts).
 */
export function createEulerMaruyama(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const path = sigmaPath(schedule, config, options, { timesteps: 'inclusive', end: 'zero', bounded: true });
  return eulerMaruyamaSolver(path, false);
}

/** @param endsNoisy whether the last step adds noise too, as in the original; otherwise it is Euler's. */
export function eulerMaruyamaSolver(path: SigmaPath, endsNoisy: boolean): Solver {
  const rules = path.timesteps.map((_, i): Rule => {
    const change = path.sigmas[i + 1] - path.sigmas[i];
    if (i === path.timesteps.length - 1 && !endsNoisy) return { next: sum([1, x], [change, eps]) };
    return { next: sum([1, x], [2 * change, eps], [Math.sqrt(-2 * change * path.sigmas[i]), z]) };
  });
  return linearSolver(sigmaStages(path, 'exploding'), initNoiseSigma(path), rules);
}

/** Returns the initial standard deviation of diffusers: exact if the schedule starts at the last training timestep. */
export function initNoiseSigma({ spacing, sigmas }: SigmaPath): number {
  return spacing === 'leading' ? Math.sqrt(sigmas[0] ** 2 + 1) : sigmas[0];
}
