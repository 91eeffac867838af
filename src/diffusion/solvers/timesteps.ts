import type { NoiseSchedule, TimestepSpacing } from '../schedule.js';
import type { Stage } from '../types.js';
import { SolverError, type SolverOptions } from './options.js';

/** The part of a schedule that is run. */
export interface Selection {
  /** Positions in the schedule, rising. */
  readonly positions: readonly number[];
  /** Whether this is the schedule itself, entered at its start or late, and not a list of its own. */
  readonly untilEnd: boolean;
}

/** @throws {SolverError} if the step count or a position is out of range, or positions do not rise. */
export function selectPositions(options: SolverOptions, maximumSteps: number): Selection {
  const { numInferenceSteps: steps, tIndexList } = options;
  if (!Number.isInteger(steps) || steps < 1 || steps > maximumSteps) {
    throw new SolverError(
      'num_inference_steps',
      `must be a whole number from 1 to ${maximumSteps} for ${options.name}, not ${steps}`,
    );
  }
  if (tIndexList === null) return { positions: Array.from({ length: steps }, (_, i) => i), untilEnd: true };
  if (tIndexList.length === 0)
    throw new SolverError('t_index_list', 'must name at least one position, not none');
  for (const [i, position] of tIndexList.entries()) {
    if (!Number.isInteger(position) || position < 0 || position >= steps) {
      throw new SolverError(
        't_index_list',
        `must hold whole numbers from 0 to ${steps - 1} (num_inference_steps - 1), not ${position}`,
      );
    }
    if (i > 0 && position <= tIndexList[i - 1]) {
      throw new SolverError('t_index_list', `must rise, but ${position} follows ${tIndexList[i - 1]}`);
    }
  }
  return { positions: [...tIndexList], untilEnd: steps - tIndexList[0] === tIndexList.length };
}

/** What timesteps are spread over. */
export interface Span {
  /** How many timesteps the training had. */
  readonly trained: number;
  /** The highest of them that is used, plus 1; by default all. */
  readonly range?: number;
  /** Added to `leading` timesteps (diffusers: `steps_offset`). */
  readonly offset?: number | undefined;
  /** Whether linspace and leading stop one short of the end that they would reach. */
  readonly exclusive?: boolean;
}

/** `count` timesteps, falling, spread as diffusers (that is, numpy) does it (Lin et al. 2023, table 2). */
export function spacedTimesteps(spacing: TimestepSpacing, count: number, span: Span): number[] {
  const { trained, range = trained, offset = 0, exclusive = false } = span;
  const last = exclusive ? count : count - 1;
  const down = Array.from({ length: count }, (_, i) => last - i);
  switch (spacing) {
    case 'linspace':
      return last === 0 ? [0] : down.map((i) => (i === last ? range - 1 : i * ((range - 1) / last)));
    case 'leading': {
      const stride = Math.floor(range / (last + 1));
      return down.map((i) => i * stride + offset);
    }
    case 'trailing': {
      // As the difference of the first two timesteps, which is how numpy rounds it.
      const stride = range - (range - trained / count);
      return down.map((_, i) => roundHalfToEven(range - i * stride) - 1);
    }
  }
}

/** Rounds as numpy does: halves go to the even neighbour. */
export function roundHalfToEven(value: number): number {
  const floor = Math.floor(value);
  const rest = value - floor;
  if (rest !== 0.5) return Math.round(value);
  return floor % 2 === 0 ? floor : floor + 1;
}

/** @throws {SolverError} if timesteps are not falling within the training's. */
export function checkTimesteps(
  timesteps: readonly number[],
  schedule: NoiseSchedule,
  options: SolverOptions,
): void {
  const last = schedule.alphasCumprod.length - 1;
  const falling = timesteps.every((t, i) => i === 0 || t < timesteps[i - 1]);
  if (!falling || timesteps.some((t) => t < 0 || t > last)) throw crowdedSchedule(last, options);
}

/** What is wrong with a schedule that has more steps than the training has timesteps for. */
export function crowdedSchedule(last: number, { name, numInferenceSteps }: SolverOptions): SolverError {
  return new SolverError(
    'num_inference_steps',
    `must leave distinct timesteps from 0 to ${last} with ${name} and its spacing, which ${numInferenceSteps} does not`,
  );
}

/** Noise level of a training timestep, for solvers that keep variance-preserving samples. */
export function stageAt(schedule: NoiseSchedule, timestep: number): Stage {
  return { timestep, ...levelOf(schedule.alphasCumprod[timestep]), inputScale: 1 };
}

/** a = sqrt(abar), b = sqrt(1 - abar). */
export function levelOf(alphaCumprod: number): { readonly a: number; readonly b: number } {
  return { a: Math.sqrt(alphaCumprod), b: Math.sqrt(1 - alphaCumprod) };
}
