import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { pureNoise, type SchedulerConfig } from '../../../../src/diffusion/schedule.js';
import type { SolverOptions } from '../../../../src/diffusion/solver-options.js';
import {
  levelOfSigma,
  sigmaPath,
  type SigmaPath,
  type SigmaPathKind,
  sigmaStages,
  trainingSigmas,
} from '../../../../src/diffusion/solvers/paths/sigmas.js';
import { assertClose } from '../../../support/compare.js';
import { defaultOptions } from '../solver-settings.js';

/** A training of four timesteps, at sigmas of 1, 2, 4 and 8. */
const schedule = { alphasCumprod: Float64Array.of(1 / 2, 1 / 5, 1 / 17, 1 / 65) };
const inclusive: SigmaPathKind = { timesteps: 'inclusive', end: 'zero' };
const exclusive: SigmaPathKind = { timesteps: 'exclusive', end: 'zero' };
const crowded = { field: 'num_inference_steps', message: /distinct timesteps from 0 to 3/ };

function path(
  kind: SigmaPathKind,
  steps: number,
  config: SchedulerConfig = {},
  options: Partial<SolverOptions> = {},
): SigmaPath {
  return sigmaPath(schedule, config, { ...defaultOptions, num_inference_steps: steps, ...options }, kind);
}

function assertPath(got: SigmaPath, timesteps: readonly number[], sigmas: readonly number[]): void {
  assertClose(got.timesteps, timesteps, 1e-6, 'timesteps');
  assertClose(got.sigmas, sigmas, 1e-6, 'sigmas');
}

describe('noise levels', () => {
  it('are b over a, and for pure noise as in diffusers', () => {
    assert.deepEqual([...trainingSigmas(schedule)], [1, 2, 4, 8]);
    const [, last] = trainingSigmas({ alphasCumprod: Float64Array.of(0.5, pureNoise) });
    assert.equal(last, Math.fround(Math.sqrt(2 ** 24 - 1)));
    assert.deepEqual(levelOfSigma(0), { a: 1, b: 0 });
    const { a, b } = levelOfSigma(0.75);
    assertClose([a, b], [0.8, 0.6], 1e-12, 'a and b');
  });

  it('scale variance-exploding samples, and no others', () => {
    const stages = { ...path(exclusive, 1), timesteps: [5, 2], sigmas: [0.75, 0, 7] };
    for (const coordinates of ['exploding', 'preserving'] as const) {
      const [first, second, ...more] = sigmaStages(stages, coordinates);
      assertClose([first.timestep, first.a, first.b], [5, 0.8, 0.6], 1e-12, coordinates);
      assert.equal(first.inputScale, coordinates === 'exploding' ? first.a : 1);
      assert.deepEqual(second, { timestep: 2, a: 1, b: 0, inputScale: 1 });
      assert.deepEqual(more, []);
    }
  });
});

describe('a path', () => {
  it('reaches the lowest timestep if that is included, and may lie between two', () => {
    assertPath(path(inclusive, 3), [3, 1.5, 0], [8, 3, 1, 0]);
    assertPath(path(exclusive, 3), [3, 2, 1], [8, 4, 2, 0]);
    assertPath(path(exclusive, 2), [3, 2], [8, 4, 0]);
  });

  it('ends without noise, at the lowest level, or at its own last level if it is spread', () => {
    const ends = (
      kind: SigmaPathKind,
      options: Partial<SolverOptions> = {},
    ): readonly (number | undefined)[] =>
      (['zero', 'sigma_min', 'last'] as const).map((end) =>
        path({ ...kind, end }, 3, { sigma_min: 2 }, options).sigmas.at(-1),
      );
    assert.deepEqual(ends(exclusive), [0, 1, 1]);
    assert.deepEqual(ends(exclusive, { use_karras_sigmas: true }), [0, 1, 1]);
    assert.deepEqual(ends({ ...exclusive, bounded: true }, { use_karras_sigmas: true }), [0, 1, 2]);
    const part = { use_karras_sigmas: true, t_index_list: [0, 1] };
    assert.deepEqual(ends({ ...exclusive, bounded: true }, part), [0, 1, 2]);
  });

  it('has the requested spacing, or that of the configuration, or linspace', () => {
    const leading = { timestep_spacing: 'leading' } as const;
    for (const [config, asked, spacing] of [
      [{}, null, 'linspace'],
      [leading, null, 'leading'],
      [leading, 'trailing', 'trailing'],
      [{}, 'trailing', 'trailing'],
    ] as const) {
      assert.equal(path(exclusive, 2, config, { timestep_spacing: asked }).spacing, spacing);
    }
    assertPath(path(exclusive, 2, leading), [2, 1], [4, 2, 0]);
    assertPath(path(exclusive, 2, { ...leading, steps_offset: 1 }), [3, 2], [8, 4, 0]);
    assertPath(path(inclusive, 2, {}, { timestep_spacing: 'trailing' }), [3, 1], [8, 2, 0]);
  });

  it('starts below the highest timestep on request', () => {
    assertPath(path({ ...exclusive, range: 3 }, 2), [2, 1], [4, 2, 0]);
  });

  it('uses the requested positions, and has the number of all steps from them', () => {
    for (const [t_index_list, steps, sigmas] of [
      [[1, 2], 3, [4, 2, 0]],
      [[2], 3, [2, 0]],
      [[0, 1], 2, [8, 4, 0]],
      [[0, 2], 2, [8, 2, 0]],
      [null, 3, [8, 4, 2, 0]],
    ] as const) {
      const got = path(exclusive, 3, {}, { t_index_list });
      assert.equal(got.steps, steps);
      assertClose(got.sigmas, sigmas, 1e-6, 'sigmas');
    }
  });

  it('keeps within the timesteps of the training', () => {
    const leading = { timestep_spacing: 'leading', steps_offset: 2 } as const;
    assertPath(path(inclusive, 1, { ...leading, steps_offset: 3 }), [3], [8, 0]);
    assert.throws(() => path(inclusive, 1, { ...leading, steps_offset: 4 }), crowded);
    assert.throws(() => path(inclusive, 1, { ...leading, steps_offset: -1 }), crowded);
    assert.throws(() => path(inclusive, 2, leading), crowded);
    assert.throws(() => path(exclusive, 4, {}, { timestep_spacing: 'leading' }), /steps|distinct/);
  });
});

describe('spread noise levels', () => {
  const karras = { use_karras_sigmas: true };
  /** Ends of the noise between timesteps; below, levels with the middle of their logarithms. */
  const bounds = { sigma_min: 2 ** 0.6, sigma_max: 2 ** 2.6 };
  const levels = [2.6, 1.6, 0.6];
  const sigmas = [...levels.map((level) => 2 ** level), 0];
  const seventh = 8 ** (1 / 7);
  /** Halfway from 8 to 1. */
  const middle = ((1 + seventh) / 2) ** 7;

  it('are those of Karras: equal distances of the seventh root', () => {
    assertPath(path(inclusive, 3, {}, karras), [3, Math.log2(middle), 0], [8, middle, 1, 0]);
    assertPath(path(exclusive, 3, {}, karras), [3, 2, 0], [8, middle, 1, 0]);
    assertPath(path(inclusive, 1, {}, karras), [0], [1, 0]);
    assertPath(path(exclusive, 1, {}, karras), [3], [8, 0]);
  });

  it('have equal ratios, with whole timesteps rounded down', () => {
    const config = { use_exponential_sigmas: true, ...bounds };
    assertPath(path({ ...inclusive, bounded: true }, 3, config), levels, sigmas);
    assertPath(path({ ...exclusive, bounded: true }, 3, config), [2, 1, 0], sigmas);
    assertPath(path(inclusive, 4, config), [3, 2, 1, 0], [8, 4, 2, 1, 0]);
    assertPath(path(inclusive, 1, config), [0], [1, 0]);
  });

  it('have equal distances of the logarithm for DPM-Solver alone, rounded unless the schedule is a cosine', () => {
    const config = { use_lu_lambdas: true, ...bounds };
    const name = 'DPMSolverMultistepScheduler';
    const bounded = { ...exclusive, bounded: true };
    assertPath(path(bounded, 3, config, { solver: name }), [3, 2, 1], sigmas);
    const cosine = { ...config, beta_schedule: 'squaredcos_cap_v2' };
    assertPath(path(bounded, 3, cosine, { solver: name }), [2, 1, 0], sigmas);
    assertPath(path({ ...bounded, timesteps: 'inclusive' }, 3, config, { solver: name }), levels, sigmas);
    const other = path(exclusive, 3, config, { solver: 'UniPCMultistepScheduler' });
    assertPath(other, [3, 2, 1], [8, 4, 2, 0]);
    const timesteps = (given: SchedulerConfig, solver: typeof name | 'UniPCMultistepScheduler') =>
      path(bounded, 1, given, { solver, ...karras }).timesteps;
    assert.deepEqual(timesteps(cosine, name), [2]);
    assert.deepEqual(timesteps(config, name), [3]);
    assert.deepEqual(timesteps(cosine, 'UniPCMultistepScheduler'), [3]);
  });

  it('are the quantiles of a beta distribution', () => {
    const config = { use_beta_sigmas: true };
    assertPath(path(inclusive, 3, config), [3, Math.log2(4.5), 0], [8, 4.5, 1, 0]);
    const bounded = { ...exclusive, bounded: true };
    assertPath(path(bounded, 3, { ...config, sigma_min: 3, sigma_max: 7 }), [2, 2, 1], [7, 5, 3, 0]);
  });

  it('are of one kind: the one that the user requests, else the choice of diffusers', () => {
    const all = { use_lu_lambdas: true, use_exponential_sigmas: true, use_beta_sigmas: true };
    const second = (config: SchedulerConfig, options: Partial<SolverOptions>): number =>
      path(inclusive, 3, config, { solver: 'DPMSolverMultistepScheduler', ...options }).sigmas[1];
    assertClose([second(all, karras)], [middle], 1e-6, 'Karras');
    assertClose([second(all, {})], [8 ** 0.5], 1e-6, 'Lu');
    assertClose([second({ ...all, use_lu_lambdas: false }, {})], [8 ** 0.5], 1e-6, 'exponential');
    assertClose([second({ use_beta_sigmas: true }, {})], [4.5], 1e-6, 'beta');
  });

  it('lie between the ends of the configuration if the solver family has them', () => {
    const config = { sigma_min: 2, sigma_max: 4, use_exponential_sigmas: true };
    assertPath(path({ ...inclusive, bounded: true }, 2, config), [2, 1], [4, 2, 0]);
    assertPath(path(inclusive, 2, config), [3, 0], [8, 1, 0]);
    assertPath(path({ ...inclusive, bounded: false }, 2, config), [3, 0], [8, 1, 0]);
    const wide = { ...config, sigma_min: 0.5, sigma_max: 16 };
    assertPath(path({ ...inclusive, bounded: true }, 2, wide), [3, 0], [16, 0.5, 0]);
  });

  it('lie between those of the timesteps if these are included, else between those of the training', () => {
    const config = { timestep_spacing: 'leading', use_exponential_sigmas: true } as const;
    assertPath(path(inclusive, 2, config), [2, 0], [4, 1, 0]);
    assertPath(path(inclusive, 2, { ...config, steps_offset: 1 }), [3, 1], [8, 2, 0]);
    assertPath(path(exclusive, 2, { timestep_spacing: 'leading' }, karras), [3, 0], [8, 1, 0]);
    // Timesteps beyond the training have the noise of its end.
    assertPath(path(inclusive, 2, { ...config, steps_offset: 2 }), [3, 2], [8, 4, 0]);
    assertPath(path(inclusive, 2, { ...config, steps_offset: -1 }), [1, 0], [2, 1, 0]);
  });

  it('can be log-linear: one more than the number of steps, from the highest of the training', () => {
    const logLinear = { ...inclusive, logLinear: true };
    assertPath(path(logLinear, 3), [3, 1.5, 0], [8, 4, 2, 1]);
    assertPath(path(logLinear, 3, {}, { t_index_list: [0, 1] }), [3, 1.5], [8, 4, 1]);
    assertPath(path(logLinear, 3, {}, karras), [3, Math.log2(middle), 0], [8, middle, 1, 0]);
  });

  it('must fall', () => {
    const config = { sigma_min: 8, use_exponential_sigmas: true };
    assert.throws(() => path({ ...inclusive, bounded: true }, 2, config), crowded);
  });
});
