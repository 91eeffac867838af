import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { sum, x, z, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { earlier, orderUpTo3, remember, stepOrder } from './linear/multistep.js';
import { momentumShare, runningMean, type DirectedStep } from './linear/running-mean.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { levelOfSigma, sigmaPath, sigmaStages, trainingSigmas, type SigmaPath } from './paths/sigmas.js';

type Algorithm = SolverOptions['algorithm_type'];

/**
 * Creates DPM-Solver (Lu et al. 2022a), which integrates the predicted noise, or DPM-Solver++ (Lu et al. 2022b), which
 * integrates the clean estimate; as an ODE or an SDE; multistep, of order 1 to 3.
 */
export function createDpmSolver(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const { algorithm_type: algorithm } = options;
  const order = orderUpTo3(options);
  // The noise-predicting form has no limit at sigma 0: it ends at the lowest training sigma instead.
  const predictsNoise = algorithm === 'dpmsolver' || algorithm === 'sde-dpmsolver';
  const end = predictsNoise ? 'sigma_min' : (config.final_sigmas_type ?? 'zero');
  const range = clippedRange(schedule, config);
  const path = sigmaPath(schedule, config, options, { timesteps: 'exclusive', end, range });
  const midpoint = config.solver_type !== 'heun';
  const stages = sigmaStages(path, 'preserving');
  const bound = boundOf(config, { clip: false, threshold: true });
  const average = runningMean(momentumShare(options));
  const rules = stages.map((stage, i): Rule => {
    const outputs = outputsOf(stage, bound);
    const output = predictsNoise ? outputs.eps : outputs.clean;
    const euler = i === stages.length - 1 && config.euler_at_final === true;
    const orderHere = euler ? 1 : stepOrder(order, path, config, i);
    const step = update(algorithm, midpoint, path, i, orderHere, output);
    // Steps of first order do not look back: they follow their own output.
    const { next, memory } = orderHere === 1 ? { ...step, memory: {} } : average(step);
    return { next, memory: { ...remember(order - 1, i, output), ...memory } };
  });
  return linearSolver(stages, 1, rules, bound);
}

/** Returns the sample at the next noise level, from the model outputs at the last `order` levels. */
function update(
  algorithm: Algorithm,
  midpoint: boolean,
  { sigmas }: SigmaPath,
  index: number,
  order: number,
  m0: Form,
): DirectedStep {
  // lambda = log(a / b) = -log(sigma); h is its change in this step, and r_k its change in earlier steps over h.
  const h = Math.log(sigmas[index] / sigmas[index + 1]);
  if (h === 0) return { next: x, start: x, factor: 0 };
  const weights = stepWeights(algorithm, sigmas[index], sigmas[index + 1], h);
  const start = sum([weights.x, x], [weights.z, z]);
  const first = sum([1, start], [weights.d0, m0]);
  const stepTo = (next: Form): DirectedStep => ({ next, start, factor: weights.d0 });
  if (order === 1) return stepTo(first);

  const m1 = earlier(1);
  const r0 = Math.log(sigmas[index - 1] / sigmas[index]) / h;
  const slope = sum([1 / r0, m0], [-1 / r0, m1]);
  if (order === 2) return stepTo(sum([1, first], [midpoint ? weights.d0 / 2 : weights.d1, slope]));

  const r1 = Math.log(sigmas[index - 2] / sigmas[index - 1]) / h;
  const slopeBefore = sum([1 / r1, m1], [-1 / r1, earlier(2)]);
  const change = sum([1, slope], [-1, slopeBefore]);
  const d1 = sum([1, slope], [r0 / (r0 + r1), change]);
  return stepTo(sum([1, first], [weights.d1, d1], [weights.d2 / (r0 + r1), change]));
}

interface StepWeights {
  readonly x: number;
  /** Weights of the model output and its first and second derivatives. */
  readonly d0: number;
  readonly d1: number;
  readonly d2: number;
  readonly z: number;
}

/** Returns the exponential integrals of an algorithm from noise level s to t. */
function stepWeights(algorithm: Algorithm, sigmaS: number, sigmaT: number, h: number): StepWeights {
  const s = levelOfSigma(sigmaS);
  const t = levelOfSigma(sigmaT);
  switch (algorithm) {
    case 'dpmsolver': {
      const phi = Math.expm1(h);
      return {
        x: t.a / s.a,
        d0: -t.b * phi,
        d1: -t.b * (phi / h - 1),
        d2: -t.b * ((phi - h) / h ** 2 - 0.5),
        z: 0,
      };
    }
    case 'dpmsolver++': {
      const phi = Math.expm1(-h);
      return {
        x: t.b / s.b,
        d0: -t.a * phi,
        d1: t.a * (phi / h + 1),
        d2: -t.a * ((phi + h) / h ** 2 - 0.5),
        z: 0,
      };
    }
    case 'sde-dpmsolver': {
      const phi = Math.expm1(h);
      return {
        x: t.a / s.a,
        d0: -2 * t.b * phi,
        d1: -2 * t.b * (phi / h - 1),
        d2: -2 * t.b * ((phi - h) / h ** 2 - 0.5),
        z: t.b * Math.sqrt(Math.expm1(2 * h)),
      };
    }
    case 'sde-dpmsolver++': {
      const phi = -Math.expm1(-2 * h);
      return {
        x: (t.b / s.b) * Math.exp(-h),
        d0: t.a * phi,
        d1: t.a * (phi / (-2 * h) + 1),
        d2: t.a * ((phi - 2 * h) / (2 * h) ** 2 - 0.5),
        z: t.b * Math.sqrt(phi),
      };
    }
  }
}

/** Returns how many training timesteps keep lambda at or above `lambda_min_clipped` (for cosine schedules). */
function clippedRange(schedule: NoiseSchedule, config: SchedulerConfig): number {
  const lowest = config.lambda_min_clipped ?? -Infinity;
  const range = trainingSigmas(schedule).filter((sigma) => -Math.log(sigma) >= lowest).length;
  if (range > 0) return range;
  throw new SolverError(
    'solver',
    `needs a lambda_min_clipped below ${lowest} in the model's scheduler configuration`,
  );
}
