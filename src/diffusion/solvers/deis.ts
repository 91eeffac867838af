import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { sum, x } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { earlier, orderUpTo3, remember, stepOrder } from './linear/multistep.js';
import type { SolverOptions } from '../solver-options.js';
import { levelOfSigma, sigmaPath, sigmaStages } from './paths/sigmas.js';

/**
 * Creates DEIS (Zhang and Chen 2023, "log-rho AB"): d(x / a) / drho = eps at rho = b / a, where eps is extrapolated by
 * a polynomial in log(rho) through its last values; of order 1 to 3.
 */
export function createDeis(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const path = sigmaPath(schedule, config, options, { timesteps: 'exclusive', end: 'last' });
  const stages = sigmaStages(path, 'preserving');
  const { sigmas } = path;
  const highest = orderUpTo3(options);
  const bound = boundOf(config, { clip: false, threshold: true });
  const rules = stages.map((stage, i): Rule => {
    const { eps } = outputsOf(stage, bound);
    const order = stepOrder(highest, path, config, i);
    const nodes = Array.from({ length: order }, (_, j) => Math.log(sigmas[i - j]));
    const integral = sum(
      ...nodes.map((_, j) => {
        const weight = basisIntegral(nodes, j, sigmas[i], sigmas[i + 1]);
        return [weight, j === 0 ? eps : earlier(j)] as const;
      }),
    );
    const { a } = levelOfSigma(sigmas[i + 1]);
    return { next: sum([a / stage.a, x], [a, integral]), memory: remember(highest - 1, i, eps) };
  });
  return linearSolver(stages, 1, rules, bound);
}

/** Returns the integral over rho of the Lagrange polynomial in log(rho) that is 1 at node j and 0 at the others. */
function basisIntegral(nodes: readonly number[], j: number, from: number, to: number): number {
  let polynomial = [1];
  for (const [k, node] of nodes.entries()) {
    if (k !== j) polynomial = timesLinear(polynomial, node, nodes[j] - node);
  }
  return polynomial.reduce((total, factor, power) => {
    return total + factor * (powerIntegral(power, to) - powerIntegral(power, from));
  }, 0);
}

/** Returns the polynomial, lowest power first, times (u - root) / scale. */
function timesLinear(polynomial: readonly number[], root: number, scale: number): number[] {
  return Array.from({ length: polynomial.length + 1 }, (_, power) => {
    return ((polynomial[power - 1] ?? 0) - root * (polynomial[power] ?? 0)) / scale;
  });
}

/** Returns an antiderivative of log(rho)^power. */
function powerIntegral(power: number, rho: number): number {
  return power === 0 ? rho : rho * Math.log(rho) ** power - power * powerIntegral(power - 1, rho);
}
