import type { MeanRevertingConfig } from '../schedule.js';
import type { Solver, Stage } from '../types.js';
import { eps, quantity, sum, x, z, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { earlier, orderUpTo3, remember } from './linear/multistep.js';
import { SolverError, type SolverOptions } from '../solver-options.js';
import { selectPositions } from './paths/timesteps.js';

/** The degraded picture, to which samples revert: in the history from before the first step. */
const mean = quantity('mean');

/** With fewer steps than this, the order is lowered near the end. */
const fewSteps = 10;

/** A level of x_t = a x0 + (1 - a) mean + b z. */
interface Level {
  readonly a: number;
  readonly b: number;
  readonly lambda: number;
}

/**
 * Creates MR-Sampler (Li et al. 2025) for a network that restores pictures: DPM-Solver for diffusion that ends at the
 * degraded picture with noise. `algorithm_type` says what is integrated, and whether as an ODE or an SDE.
 * @throws {SolverError} if another solver is chosen, or an order that the SDE does not have.
 */
export function createMeanReverting(config: MeanRevertingConfig, options: SolverOptions): Solver {
  const { solver, algorithm_type: algorithm } = options;
  if (solver !== 'DPMSolverMultistepScheduler') {
    const wanted = 'must be DPMSolverMultistepScheduler for a mean-reverting model';
    throw new SolverError('solver', `${wanted}, not ${solver}`);
  }
  const order = orderUpTo3(options);
  if (order === 3 && algorithm.startsWith('sde-'))
    throw new SolverError(
      'solver_order',
      `must be 1 or 2 for ${algorithm} with a mean-reverting model, not 3`,
    );
  const { num_inference_steps: steps } = options;
  const { positions } = selectPositions(options, config.T);
  const times = [...positions.map((i) => config.T - (config.T * i) / steps), 0];
  const levels = levelsAt(config, times);
  const stages = times.slice(0, -1).map((timestep, i): Stage => {
    const { a, b } = levels[i];
    return { timestep, a, b, inputScale: 1 };
  });
  const rules = stages.map((_, i): Rule => {
    const count = stages.length;
    const lowered = count < fewSteps ? Math.min(order, count - i - 1) : order;
    const own = i === count - 1 ? order : lowered;
    const output = algorithm.endsWith('++') ? cleanOf(levels[i]) : eps;
    return {
      next: step(algorithm, levels, i, Math.min(own, i + 1), output),
      memory: { ...remember(order - 1, i, output), mean },
    };
  });
  return { ...linearSolver(stages, scaleOf(config), rules), revertsToMean: true };
}

function scaleOf({ max_sigma: sigma }: MeanRevertingConfig): number {
  return sigma >= 1 ? sigma / 255 : sigma;
}

/** Returns the levels at fractional times: each value is linear between whole ones, as in the original. */
function levelsAt(config: MeanRevertingConfig, times: readonly number[]): readonly Level[] {
  const { T, eps: rest } = config;
  const curve = (k: number): number => Math.cos(((k / (T + 2) + 0.008) / 1.008) * (Math.PI / 2)) ** 2;
  let total = 0;
  const speeds = Array.from({ length: T + 1 }, (_, t) => (total += 1 - curve(t + 1) / curve(0)));
  const whole = speeds.map((speed): Level => {
    const exponent = (speed * -Math.log(rest)) / total;
    const a = Math.exp(-exponent);
    const b = scaleOf(config) * Math.sqrt(-Math.expm1(-2 * exponent));
    return { a, b, lambda: Math.log(a / b) };
  });
  return times.map((time): Level => {
    const low = Math.min(Math.floor(time), T - 1);
    const [from, to] = [whole[low], whole[low + 1]];
    const at = (name: keyof Level): number => from[name] + (time - low) * (to[name] - from[name]);
    return { a: at('a'), b: at('b'), lambda: at('lambda') };
  });
}

/** Returns the estimate of the restored picture. */
function cleanOf({ a, b }: Level): Form {
  return sum([1 / a, x], [-b / a, eps], [-(1 - a) / a, mean]);
}

/** Returns the sample at the next level, by the table of the paper's solvers. */
function step(
  algorithm: SolverOptions['algorithm_type'],
  levels: readonly Level[],
  i: number,
  order: number,
  q: Form,
): Form {
  const [s, t] = [levels[i], levels[i + 1]];
  const h = t.lambda - s.lambda;
  const lengthBefore = (k: number): number => levels[i - k + 1].lambda - levels[i - k].lambda;
  let [first, second]: Form[] = [{}, {}];
  if (order >= 2) first = divided(lengthBefore(1) / h, q, earlier(1));
  if (order === 3) {
    const [r0, r1] = [lengthBefore(1) / h, lengthBefore(2) / h];
    const before = divided(r1, earlier(1), earlier(2));
    second = sum([1 / (r0 + r1), first], [-1 / (r0 + r1), before]);
    first = sum([1, first], [r0, second]);
  }
  switch (algorithm) {
    case 'dpmsolver++': {
      const p1 = Math.expm1(-h);
      const p2 = p1 / h + 1;
      const p3 = p2 / h - 1 / 2;
      const kept = t.b / s.b;
      const toMean = 1 - kept * (1 - s.a) - t.a;
      return sum([kept, x], [toMean, mean], [-t.a * p1, q], [t.a * p2, first], [-t.a * p3, second]);
    }
    case 'dpmsolver': {
      const p1 = Math.expm1(h);
      const p2 = p1 / h - 1;
      const p3 = p2 / h - 1 / 2;
      const kept = t.a / s.a;
      return sum([kept, x], [1 - kept, mean], [-t.b * p1, q], [-t.b * p2, first], [-t.b * p3, second]);
    }
    case 'sde-dpmsolver++': {
      const p1 = -Math.expm1(-2 * h);
      const p2 = 1 - p1 / (2 * h);
      const kept = (t.b / s.b) * Math.exp(-h);
      const toMean = 1 - (t.a / s.a) * Math.exp(-2 * h) - t.a * p1;
      const noise = t.b * Math.sqrt(p1);
      return sum([kept, x], [toMean, mean], [t.a * p1, q], [t.a * p2, first], [noise, z]);
    }
    case 'sde-dpmsolver': {
      const p1 = Math.expm1(h);
      const p2 = p1 / h - 1;
      const kept = t.a / s.a;
      const noise = t.b * Math.sqrt(Math.expm1(2 * h));
      return sum([kept, x], [1 - kept, mean], [-2 * t.b * p1, q], [-2 * t.b * p2, first], [noise, z]);
    }
  }
}

/** Returns the change from the output before to the newest one, over the length of that step. */
function divided(length: number, newest: Form, before: Form): Form {
  return sum([1 / length, newest], [-1 / length, before]);
}
