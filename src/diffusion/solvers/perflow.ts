import type { NoiseSchedule, SchedulerConfig } from '../schedule.js';
import type { NoiseWeights, Solver, Stage } from '../types.js';
import { eps, sum, x } from './linear/forms.js';
import { linearSolver, type Rule } from './linear/linear-solver.js';
import type { SolverOptions } from '../solver-options.js';
import { windowPath, type Window } from './paths/windows.js';
import { levelOf } from './paths/timesteps.js';

/** The sample at the end of a window: a weighted sum of the sample now and the predicted noise. */
interface WindowEnd {
  readonly sample: number;
  readonly eps: number;
}

/**
 * Creates PeRFlow (Yan et al. 2024): in each window of time the sample moves along a straight line, from the noise level
 * at its start to what DDIM makes of it at its end.
 *
 * A step past the end of its window, which only a list of positions can ask for, is made in a window that reaches as far.
 */
export function createPerflow(
  schedule: NoiseSchedule,
  config: SchedulerConfig,
  options: SolverOptions,
): Solver {
  const { timesteps, times, windows } = windowPath(schedule, config, options);
  const stages = timesteps.map((timestep, i): Stage => {
    const { a, b } = levelOf(schedule.alphasCumprod[timestep - 1]);
    return {
      timestep,
      a,
      b,
      inputScale: 1,
      noiseWeights: noiseWeights(config, schedule, windows[i], times[i]),
    };
  });
  const rules = stages.map((_, i): Rule => {
    const [now, to] = [times[i], times[i + 1]];
    // Timesteps are whole, so that a step to the end of the window may stop just below it.
    const isPast = to <= windows[i].end - 1 / schedule.alphasCumprod.length;
    const { start, end } = isPast ? { ...windows[i], end: to } : windows[i];
    const last = windowEnd(schedule, { start, end }, now);
    const part = (to - now) / (end - now);
    return { next: sum([1 - part, x], [part, sum([last.sample, x], [last.eps, eps])]) };
  });
  return linearSolver(stages, 1, rules);
}

/** Returns how a sample on the line of a window, and its noise, give the sample at the end of it. */
function windowEnd(schedule: NoiseSchedule, { start, end }: Window, now: number): WindowEnd {
  const [from, to] = [levelAt(schedule, start), levelAt(schedule, end)];
  // DDIM from the start to the end: x_end = ratio x_start + change eps.
  const ratio = to.a / from.a;
  const change = to.b - ratio * from.b;
  const length = ratio * (now - start) + (end - now);
  return { sample: (ratio * (end - start)) / length, eps: (change * (end - now)) / length };
}

/** Returns the noise that an output stands for, with the input. */
function noiseWeights(
  { prediction_type: prediction }: SchedulerConfig,
  schedule: NoiseSchedule,
  window: Window,
  now: number,
): NoiseWeights {
  const [from, to] = [levelAt(schedule, window.start), levelAt(schedule, window.end)];
  switch (prediction) {
    case 'diff_eps': {
      // The noise that was added from the end to the start: x_start = (a_s / a_e) x_end + sqrt(1 - abar_s / abar_e) e.
      const ratio = from.a / to.a;
      return { output: Math.sqrt(1 - ratio ** 2) / (from.b - ratio * to.b), input: 0 };
    }
    case 'velocity': {
      const last = windowEnd(schedule, window, now);
      return { output: (window.end - now) / last.eps, input: (1 - last.sample) / last.eps };
    }
    default:
      return { output: 1, input: 0 };
  }
}

/** Returns the noise level at a time from 0 to 1; time 1 is the last training timestep. */
function levelAt({ alphasCumprod }: NoiseSchedule, time: number): { readonly a: number; readonly b: number } {
  // Against rounding: a third of 1000 timesteps may be a little less than what it stands for.
  const index = Math.floor(time * alphasCumprod.length + 1e-6) - 1;
  return levelOf(alphasCumprod[Math.max(0, index)]);
}
