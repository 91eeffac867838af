import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { solveLinearSystem } from './linear/linear-system.js';
import { boundOf, outputsOf } from './linear/bounds.js';
import { eps, quantity, sum, x, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { earlier, orderUpTo3, remember } from './linear/multistep.js';
import { momentumShare, runningMean, type DirectedStep } from './linear/running-mean.js';
import type { SolverOptions } from '../solver-options.js';
import { levelOfSigma, sigmaPath, sigmaStages } from './paths/sigmas.js';

interface Method {
  /** Whether the clean estimate is integrated instead of the predicted noise. */
  readonly clean: boolean;
  /** Whether B(h) of the paper is h instead of exp(h) - 1 (bh2). */
  readonly bh1: boolean;
  readonly sigmas: readonly number[];
}

/**
 * Creates UniPC (Zhao et al. 2023): each stage first corrects the sample predicted by the previous one (UniC,
 * theorem 3.1), with the model output for it, and then predicts the next one (UniP, corollary 3.2); orders 1 to 3.
 */
export function createUniPc(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const clean = config.predict_x0 ?? true;
  const path = sigmaPath(schedule, config, options, {
    timesteps: 'exclusive',
    // The noise-predicting form has no limit at sigma 0.
    end: config.final_sigmas_type === 'sigma_min' || !clean ? 'last' : 'zero',
    bounded: true,
  });
  const method: Method = { clean, bh1: config.solver_type === 'bh1', sigmas: path.sigmas };
  const stages = sigmaStages(path, 'preserving');
  const bound = boundOf(config, { clip: false, threshold: true });
  const highest = orderUpTo3(options);
  const average = runningMean(momentumShare(options));
  const uncorrected = config.disable_corrector ?? [];
  // If the schedule is entered late, positions still count from its start.
  const offset = path.steps - stages.length;

  const orderAt = (i: number): number => {
    const remaining = stages.length - i;
    const lowered = (config.lower_order_final ?? true) || path.sigmas[i + 1] === 0;
    return Math.min(highest, i + 1, lowered ? remaining : highest);
  };
  const rules = stages.map((stage, i): Rule => {
    const output = method.clean ? outputsOf(stage, bound).clean : eps;
    const corrects = i > 0 && !uncorrected.includes(offset + i - 1);
    const corrected = corrects
      ? average(directed(method, i, correct(method, i, orderAt(i - 1), output)))
      : null;
    const sample = corrected?.next ?? x;
    return {
      next: predict(method, i, orderAt(i), sample, output),
      memory: { ...remember(highest, i, output), ...corrected?.memory, last: sample },
      startSlot: 'last',
    };
  });
  return linearSolver(stages, 1, rules, bound);
}

/** Returns the sample at the next noise level (UniP). */
function predict(method: Method, index: number, order: number, sample: Form, output: Form): Form {
  const step = stepFrom(method, index, order, sample, output, (k) => earlier(k));
  if (order === 1) return step.base;
  // For order 2 the paper uses 1/2 for any B(h), which is exact in the limit of small steps.
  const weights = order === 2 ? [0.5] : solveOrder(step, order - 1);
  return sum([1, step.base], ...step.slopes.map((slope, k) => [step.factor * weights[k], slope] as const));
}

/** Returns the corrected sample at this noise level, from the model output there (UniC). */
function correct(method: Method, index: number, order: number, output: Form): Form {
  const m0 = earlier(1);
  const step = stepFrom(method, index - 1, order, quantity('last'), m0, (k) => earlier(k + 1));
  const weights = order === 1 ? [0.5] : solveOrder(step, order);
  const slopes = [...step.slopes, sum([1, output], [-1, m0])];
  return sum([1, step.base], ...slopes.map((slope, k) => [step.factor * weights[k], slope] as const));
}

/** Returns a correction towards this noise level as a step in x / b (clean estimates) or x / a (predicted noise). */
function directed({ clean, sigmas }: Method, index: number, next: Form): DirectedStep {
  const s = levelOfSigma(sigmas[index - 1]);
  const t = levelOfSigma(sigmas[index]);
  const h = Math.log(sigmas[index - 1] / sigmas[index]);
  return {
    next,
    start: sum([clean ? t.b / s.b : t.a / s.a, quantity('last')]),
    factor: -t.a * t.b * Math.expm1(clean ? -h : h),
  };
}

interface UniStep {
  /** The step of first order (that of DDIM). */
  readonly base: Form;
  /** Differences D_k / r_k between earlier outputs and the current one, and their positions r_k in the step. */
  readonly slopes: readonly Form[];
  readonly ratios: readonly number[];
  /** Factor of all slopes: B(h) times the scale of the integrated quantity. */
  readonly factor: number;
  readonly hh: number;
  readonly bh: number;
}

/** Returns the step from noise level `index` to the next. `before(k)` is the output k levels earlier. */
function stepFrom(
  { clean, bh1, sigmas }: Method,
  index: number,
  order: number,
  sample: Form,
  output: Form,
  before: (k: number) => Form,
): UniStep {
  const s = levelOfSigma(sigmas[index]);
  const t = levelOfSigma(sigmas[index + 1]);
  const h = Math.log(sigmas[index] / sigmas[index + 1]);
  const hh = clean ? -h : h;
  const phi1 = Math.expm1(hh);
  const bh = bh1 ? hh : phi1;
  const scale = clean ? t.a : t.b;
  // If the last step has no length (h = 0), ratios are infinite and slopes vanish.
  const ratios = Array.from(
    { length: order - 1 },
    (_, k) => Math.log(sigmas[index] / sigmas[index - k - 1]) / h,
  );
  return {
    base: sum([clean ? t.b / s.b : t.a / s.a, sample], [-scale * phi1, output]),
    slopes: ratios.map((ratio, k) => sum([1 / ratio, before(k + 1)], [-1 / ratio, output])),
    ratios,
    factor: -scale * bh,
    hh,
    bh,
  };
}

/** Returns the weights that make the method exact for `size` derivatives: R_p(h) a = phi_p(h) / B(h). */
function solveOrder({ ratios, hh, bh }: UniStep, size: number): number[] {
  const places = [...ratios, 1].slice(0, size);
  const right: number[] = [];
  let phi = Math.expm1(hh) / hh - 1;
  let factorial = 1;
  for (let p = 1; p <= size; p++) {
    right.push((phi * factorial) / bh);
    factorial *= p + 1;
    phi = phi / hh - 1 / factorial;
  }
  return solveLinearSystem(
    right.map((_, power) => places.map((place) => place ** power)),
    right,
  );
}
