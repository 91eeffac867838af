import fc from 'fast-check';
import { solverNames } from '@millrace/protocol';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import {
  createSolver,
  predictionsFor,
  type SolverName,
  type SolverOptions,
} from '../../../src/diffusion/solvers/create.js';
import { blankStatistics } from '../../../src/diffusion/statistics.js';
import type { Solver } from '../../../src/diffusion/types.js';

const evenly = Float64Array.from({ length: 601 });
/** Statistics for DPM-Solver-v3 that make it DPM-Solver++. */
export const statistics = blankStatistics({ elements: 1, l: evenly, s: evenly, b: evenly });

/** The scheduler configuration of Stable Diffusion. */
export const stableDiffusion: SchedulerConfig = {
  num_train_timesteps: 1000,
  beta_start: 0.00085,
  beta_end: 0.012,
  beta_schedule: 'scaled_linear',
  steps_offset: 1,
  statistics,
};

/** Returns it with the first of the predictions that fit a solver, which is noise for most. */
export function configFor(solver: SolverName): SchedulerConfig {
  return { ...stableDiffusion, prediction_type: predictionsFor(solver)[0] };
}

export const defaultOptions: SolverOptions = {
  solver: 'LCMScheduler',
  num_inference_steps: 20,
  t_index_list: null,
  timestep_spacing: null,
  solver_order: 2,
  algorithm_type: 'dpmsolver++',
  use_karras_sigmas: false,
  eta: 0,
  gamma: 0,
  do_add_noise: true,
};

export interface Settings {
  readonly config: SchedulerConfig;
  readonly options: SolverOptions;
}

export function solverOf({ config, options }: Settings): Solver {
  return createSolver(config, options);
}

const rising = (steps: number): fc.Arbitrary<readonly number[]> =>
  fc
    .uniqueArray(fc.integer({ min: 0, max: steps - 1 }), { minLength: 1, maxLength: 20 })
    .map((positions) => positions.toSorted((p, q) => p - q));

/** Any possible solver. */
export const anySettings: fc.Arbitrary<Settings> = fc
  .record({
    config: fc.record({
      prediction: fc.nat(),
      set_alpha_to_one: fc.boolean(),
      skip_prk_steps: fc.boolean(),
      solver_type: fc.constantFrom('midpoint', 'heun', 'bh1', 'bh2'),
      predict_x0: fc.boolean(),
      lower_order_final: fc.boolean(),
      use_exponential_sigmas: fc.boolean(),
      final_sigmas_type: fc.constantFrom('zero', 'sigma_min'),
    }),
    options: fc.record({
      solver: fc.constantFrom(...solverNames),
      num_inference_steps: fc.integer({ min: 1, max: 50 }),
      timestep_spacing: fc.constantFrom('leading', 'trailing', 'linspace', null),
      solver_order: fc.constantFrom(1, 2, 3),
      algorithm_type: fc.constantFrom('dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'),
      use_karras_sigmas: fc.boolean(),
      momentum_beta: fc.double({ min: 0.05, max: 1, noNaN: true }),
      flow_shift: fc.constantFrom(0, 0.5, 1, 3, 6),
      use_corrector: fc.boolean(),
      bdia_gamma: fc.double({ min: 0, max: 1, noNaN: true }),
      eta: fc.double({ min: 0, max: 1, noNaN: true }),
      gamma: fc.double({ min: 0, max: 1, noNaN: true }),
      do_add_noise: fc.boolean(),
      boundaryScaling: fc.boolean(),
    }),
  })
  .chain(({ config: { prediction, ...config }, options }) => {
    const fitting = predictionsFor(options.solver);
    // PeRFlow makes a step in each of its windows.
    const least = options.solver === 'PeRFlowScheduler' ? 4 : 1;
    const num_inference_steps = Math.max(options.num_inference_steps, least);
    return fc.option(rising(num_inference_steps)).map((t_index_list) => ({
      config: { ...stableDiffusion, ...config, prediction_type: fitting[prediction % fitting.length] },
      options: { ...options, num_inference_steps, t_index_list } as const,
    }));
  });

// In double precision, so that a property finds flaws and not the rounding of single precision. Steps from much noise
// enlarge that: they are differences of near equals, some hundred times over.

/** Values of a latent. */
export const latent = (length: number): fc.Arbitrary<Float64Array> =>
  fc.float64Array({ min: -2, max: 2, minLength: length, maxLength: length, noNaN: true });

/** Any number of latents. */
export const latents = (length: number): fc.Arbitrary<() => Float64Array> =>
  fc.infiniteStream(latent(length)).map((stream) => () => {
    const value: unknown = stream.next().value;
    if (value instanceof Float64Array) return value;
    throw new TypeError('the stream has no end');
  });

/** Returns the history of a solver, in double precision. */
export function createHistory(solver: Solver, length: number): Record<string, Float64Array> {
  const slots = Object.keys(solver.createHistory(length));
  return Object.fromEntries(slots.map((slot) => [slot, new Float64Array(length)]));
}
