import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { Solver } from '../types.js';
import { discretePath, nextAlphaCumprod, type DiscretePath } from './paths/discrete.js';
import { eps, quantity, sum, x, type Form } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import { adamsBashforth, earlier, remember } from './linear/multistep.js';
import type { SolverOptions } from '../solver-options.js';
import { levelOf, stageAt } from './paths/timesteps.js';

/** One call of the model and the step after it. */
interface Call {
  readonly timestep: number;
  readonly rule: Rule;
}

/** Runge-Kutta steps, until linear multistep has enough outputs. */
const warmUpSteps = 3;

/** The sample at the start of a step that takes several calls. */
const start = quantity('start');

/** The weighted sum of the Runge-Kutta outputs so far. */
const mean = quantity('mean');

/**
 * Creates PNDM (Liu et al. 2022): pseudo linear multistep of order 4, started by pseudo Runge-Kutta (algorithm 2). With
 * `skip_prk_steps`, or too few steps, it starts with lower orders and a repeated first step.
 */
export function createPndm(schedule: NoiseSchedule, config: SchedulerConfig, options: SolverOptions): Solver {
  const path = discretePath(schedule, config, options, false);
  const equations = createEquations(schedule, config, path);
  const warmsUp = config.skip_prk_steps !== true && path.timesteps.length > warmUpSteps;
  const calls = warmsUp
    ? [...rungeKuttaCalls(path, equations), ...multistepCalls(path, equations, warmUpSteps)]
    : multistepCalls(path, equations, 0);
  return linearSolver(
    calls.map(({ timestep }) => stageAt(schedule, timestep)),
    1,
    calls.map(({ rule }) => rule),
  );
}

interface Equations {
  /** Returns the raw model output at a timestep, noise or v: diffusers averages these. */
  readonly output: (timestep: number) => Form;
  /** Moves a sample from one timestep to another along a model output (equation 11). */
  readonly transfer: (from: number, to: number, sample: Form, output: Form) => Form;
  /** Does the same for the step from the path's timestep at this index. */
  readonly step: (index: number, output: Form) => Form;
}

function createEquations(schedule: NoiseSchedule, config: SchedulerConfig, path: DiscretePath): Equations {
  const { alphasCumprod } = schedule;
  const predictsV = config.prediction_type === 'v_prediction';
  const move = (from: number, to: number, sample: Form, output: Form): Form => {
    const level = levelOf(from);
    const noise = predictsV ? sum([level.a, output], [level.b, sample]) : output;
    const denominator = from * Math.sqrt(1 - to) + Math.sqrt(from * (1 - from) * to);
    return sum([Math.sqrt(to / from), sample], [(from - to) / denominator, noise]);
  };
  return {
    output: (timestep) => {
      const { a, b } = levelOf(alphasCumprod[timestep]);
      return predictsV ? sum([1 / a, eps], [-b / a, x]) : eps;
    },
    transfer: (from, to, sample, output) => move(alphasCumprod[from], alphasCumprod[to], sample, output),
    step: (index, output) =>
      move(alphasCumprod[path.timesteps[index]], nextAlphaCumprod(schedule, path, index), x, output),
  };
}

/** Returns four calls for each step: at its start, twice halfway, and at its end. */
function rungeKuttaCalls({ timesteps, stride }: DiscretePath, { output, transfer }: Equations): Call[] {
  return timesteps.slice(0, warmUpSteps).flatMap((from, i) => {
    const to = timesteps[i + 1];
    const half = Math.floor((stride ?? from - to) / 2);
    const middle = to + half;
    const first = output(from);
    const halfway = output(middle);
    return [
      {
        timestep: from,
        rule: {
          // If the stride is odd, diffusers is off the middle by one here.
          next: transfer(from, stride === null ? middle : from - half, x, first),
          memory: { ...remember(warmUpSteps, i, first), start: x, mean: sum([1 / 6, first]) },
        },
      },
      {
        timestep: middle,
        rule: {
          next: transfer(from, middle, start, halfway),
          memory: { mean: sum([1, mean], [1 / 3, halfway]) },
        },
      },
      {
        timestep: middle,
        rule: {
          next: transfer(from, to, start, halfway),
          memory: { mean: sum([1, mean], [1 / 3, halfway]) },
        },
      },
      { timestep: to, rule: { next: transfer(from, to, start, sum([1, mean], [1 / 6, output(to)])) } },
    ];
  });
}

/** Returns one call per step from this index on, of the highest order that the outputs so far allow. */
function multistepCalls(path: DiscretePath, { output, transfer, step }: Equations, index: number): Call[] {
  const calls = path.timesteps.slice(index).map((timestep, k): Call => {
    const current = output(timestep);
    const i = index + k;
    const weights = adamsBashforth[Math.min(i, warmUpSteps)];
    const outputs = sum(
      ...weights.map((weight, back) => [weight, back === 0 ? current : earlier(back)] as const),
    );
    const memory = remember(warmUpSteps, i, current);
    return { timestep, rule: { next: step(i, outputs), memory: i === 0 ? { ...memory, start: x } : memory } };
  });
  if (index === 0 && path.timesteps.length > 1) calls.splice(1, 0, repeatedFirstStep(path, output, transfer));
  return calls;
}

/** Returns the first step again, with the mean of the outputs at both ends. */
function repeatedFirstStep(
  { timesteps: [first, second], stride }: DiscretePath,
  output: Equations['output'],
  transfer: Equations['transfer'],
): Call {
  const outputs = sum([1 / 2, output(second)], [1 / 2, earlier(1)]);
  const from = stride === null ? first : second + stride;
  return { timestep: second, rule: { next: transfer(from, second, start, outputs) } };
}
