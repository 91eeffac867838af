import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { solverNames } from '@millrace/protocol';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import {
  createSolver,
  predictionsFor,
  SolverError,
  type SolverName,
  type SolverOptions,
} from '../../../src/diffusion/solvers/create.js';
import type { Solver } from '../../../src/diffusion/types.js';
import { assertClose } from '../../support/compare.js';
import { createHistory, defaultOptions, latent, stableDiffusion } from './solver-settings.js';
import { cases } from '../../support/properties.js';

const length = 3;
const positions = [3, 11, 20, 32, 41, 46, 48];
const usual = { num_inference_steps: 50, t_index_list: positions, timestep_spacing: 'trailing' } as const;

function make(changes: Partial<SolverOptions>, config: SchedulerConfig = {}): Solver {
  return createSolver({ ...stableDiffusion, ...config }, { ...defaultOptions, ...usual, ...changes });
}

function mixOf(
  schedule: readonly SolverName[],
  changes: Partial<SolverOptions> = {},
  config: SchedulerConfig = {},
): Solver {
  return make({ ...changes, solver_schedule: schedule }, config);
}

/** Runs a solver with a prediction that bends; returns all samples. */
function run(solver: Solver): readonly number[][] {
  const history = createHistory(solver, length);
  const sample = Float64Array.of(0.7, -1.2, 2);
  return solver.stages.map(({ inputScale, timestep }, stage) => {
    const eps = sample.map((value, i) => Math.tanh(0.7 * value * inputScale + 0.3 * i + timestep / 500));
    const noise = sample.map((_, i) => Math.cos(stage - i));
    solver.step({ stage, sample, eps, noise, history, out: sample });
    return Array.from(sample);
  });
}

/** Returns the names without their common end. */
const full = (...names: readonly string[]): readonly SolverName[] =>
  names.map((name) => solverNames.find((one) => one === `${name}Scheduler`) ?? assert.fail(name));

function assertRefused(
  message: RegExp,
  schedule: readonly SolverName[],
  changes: Partial<SolverOptions> = {},
  config: SchedulerConfig = {},
): void {
  assert.throws(
    () => mixOf(schedule, changes, config),
    (error) =>
      error instanceof SolverError && error.field === 'solver_schedule' && message.test(error.message),
  );
}

describe('a solver schedule of one name', () => {
  it('is that solver for all steps, bit for bit, whatever solver says', () => {
    for (const solver of solverNames) {
      const config = { prediction_type: predictionsFor(solver)[0] };
      const plain = run(make({ solver }, config));
      for (const schedule of [[solver], Array<SolverName>(7).fill(solver)]) {
        for (const other of ['HeunDiscreteScheduler', solver] as const) {
          assert.deepEqual(run(mixOf(schedule, { solver: other }, config)), plain, solver);
        }
      }
    }
  });

  it('keeps the spacing that is the default of the solver', () => {
    const plain = make({ solver: 'DPMSolverMultistepScheduler', timestep_spacing: null });
    const listed = mixOf(full('DPMSolverMultistep'), { timestep_spacing: null });
    assert.deepEqual(listed.stages, plain.stages);
  });

  it('or none is the solver', () => {
    for (const schedule of [null, []]) {
      assert.deepEqual(
        run(make({ solver: 'DDIMScheduler', solver_schedule: schedule })),
        run(make({ solver: 'DDIMScheduler' })),
      );
    }
  });
});

describe('a solver schedule', () => {
  it('goes on with its last name, and has no use for surplus ones', () => {
    const long = mixOf(full('DDIM', 'GHVB', 'DPMSolverMultistep'));
    const whole = mixOf(full('DDIM', 'GHVB', ...Array<string>(5).fill('DPMSolverMultistep')));
    assert.deepEqual(run(long), run(whole));
    const short = { t_index_list: [10, 30] };
    assert.deepEqual(
      run(mixOf(full('DDIM', 'GHVB', 'HeunDiscrete', 'PNDM'), short)),
      run(mixOf(full('DDIM', 'GHVB'), short)),
    );
    assert.deepEqual(
      run(mixOf(full('DDIM', 'GHVB'), { t_index_list: [10] })),
      run(make({ solver: 'DDIMScheduler', t_index_list: [10] })),
    );
  });

  it('without a spacing has trailing timesteps, which most solvers share', () => {
    const schedule = full('DDIM', 'DPMSolverMultistep', 'EulerDiscrete', 'LCM', 'TCD', 'DEISMultistep');
    assert.deepEqual(
      mixOf(schedule, { timestep_spacing: null }, { timestep_spacing: 'leading' }).stages,
      mixOf(schedule).stages,
    );
    const timesteps = positions.map((position) => 999 - 20 * position);
    assert.deepEqual(
      mixOf(schedule).stages.map(({ timestep }) => timestep),
      timesteps,
    );
  });

  it('takes Euler solvers, whose samples have another scale: without noise, their steps are those of DDIM', () => {
    const ddim = run(make({ solver: 'DDIMScheduler' }, { set_alpha_to_one: true }));
    const mixed = mixOf(
      full('EulerDiscrete', 'DDIM', 'DDIM', 'EulerDiscrete'),
      {},
      { set_alpha_to_one: true },
    );
    assertClose(run(mixed).flat(), ddim.flat(), 1e-6, 'samples');
    assert.ok(mixed.stages.every(({ inputScale }) => inputScale === 1));
    assert.ok(Math.abs(mixed.initNoiseSigma - 1) < 0.01);
  });

  it('remembers what a later step looks at, and no more', () => {
    const slots = (...names: readonly string[]): readonly string[] =>
      Object.keys(mixOf(full(...names)).createHistory(1)).toSorted();
    assert.deepEqual(slots('DPMSolverMultistep', 'DDIM'), []);
    assert.deepEqual(slots('DDIM', 'DPMSolverMultistep', 'DDIM'), ['DPMSolverMultistepScheduler.m1']);
    assert.deepEqual(slots('DDIM', 'DDIM', 'BDIA', 'GHVB'), ['BDIAScheduler.before', 'GHVBScheduler.m1']);
    const uni = ['last', 'm1', 'm2'].map((slot) => `UniPCMultistepScheduler.${slot}`);
    assert.deepEqual(slots('DDIM', 'DDIM', 'UniPCMultistep', 'DDIM'), uni);
  });

  const deterministic = full(
    'DDIM',
    'TCD',
    'EulerDiscrete',
    'DPMSolverMultistep',
    'DEISMultistep',
    'UniPCMultistep',
    'GHVB',
    'PLMSWithHB',
    'PLMSWithNT',
    'BDIA',
  );
  const rising = fc
    .uniqueArray(fc.integer({ min: 0, max: 49 }), { minLength: 2, maxLength: 12 })
    .map((list) => list.toSorted((p, q) => p - q));

  it('keeps a perfectly predicted sample between its image and its noise, in any order of solvers', () => {
    const settings = fc.record({
      solver_schedule: fc.array(fc.constantFrom(...deterministic), { minLength: 2, maxLength: 12 }),
      t_index_list: rising,
      solver_order: fc.constantFrom(1, 2, 3),
      algorithm_type: fc.constantFrom('dpmsolver', 'dpmsolver++'),
    });
    fc.assert(
      fc.property(settings, latent(length), latent(length), (changes, clean, eps) => {
        const solver = make(changes);
        assert.equal(solver.addsNoise, false);
        const history = createHistory(solver, length);
        const [{ a, b, inputScale }] = solver.stages;
        const sample = clean.map((value, i) => (a * value + b * eps[i]) / inputScale);
        for (const [stage, level] of solver.stages.entries()) {
          const wanted = clean.map((value, i) => level.a * value + level.b * eps[i]);
          assertClose(
            sample.map((value) => value * level.inputScale),
            wanted,
            2e-6,
            `stage ${stage}`,
          );
          solver.step({ stage, sample, eps, noise: eps, history, out: sample });
        }
      }),
      { numRuns: cases(300) },
    );
  });

  it('reaches the image after steps that add noise', () => {
    for (const name of ['EulerAncestralDiscrete', 'TCD', 'LCM']) {
      const schedule = full(name, 'DDIM', name, 'DPMSolverMultistep');
      const solver = mixOf(schedule, { gamma: 1, boundaryScaling: false });
      assert.ok(solver.addsNoise);
      const history = createHistory(solver, length);
      const clean = Float64Array.of(0.5, -1, 2);
      const [{ a, b }] = solver.stages;
      const sample = clean.map((value) => a * value + b);
      for (const [stage, level] of solver.stages.entries()) {
        const eps = sample.map((value, i) => (value - level.a * clean[i]) / level.b);
        const noise = sample.map((_, i) => Math.cos(stage - i));
        solver.step({ stage, sample, eps, noise, history, out: sample });
      }
      assertClose(sample, clean, 1e-4, schedule.join());
    }
  });

  it('bounds the clean estimates of the solvers that do so', () => {
    const config = { clip_sample: true, clip_sample_range: 0.5 };
    const schedule = full('DPMSolverMultistep', 'DDIM');
    const [free, bounded] = [mixOf(schedule), mixOf(schedule, {}, config)];
    assert.deepEqual(run(bounded)[0], run(free)[0], 'DPM-Solver does not clip');
    assert.notDeepEqual(run(bounded)[1], run(free)[1]);
    const step = (solver: Solver, stage: number): Float64Array => {
      const sample = Float64Array.of(1, -2, 3);
      const given = { stage, sample, eps: sample, noise: sample };
      solver.step({ ...given, history: createHistory(solver, length), out: sample });
      return sample;
    };
    assertClose(step(bounded, 1), step(make({ solver: 'DDIMScheduler' }, config), 1), 1e-6, 'clipped');
  });

  it('refuses solvers that ask at other noise levels, by name', () => {
    assertRefused(
      /^must not mix DDIMScheduler and DPMSolverMultistepScheduler here: in step 1 .*timestep 921 .*timestep \d+ .*trailing/,
      full('DDIM', 'DPMSolverMultistep'),
      { timestep_spacing: 'leading' },
    );
    assertRefused(/mix EulerDiscreteScheduler and DDIMScheduler .*Karras/, full('EulerDiscrete', 'DDIM'), {
      use_karras_sigmas: true,
    });
    assertRefused(/mix DPMSolverV3Scheduler and DDIMScheduler here/, full('DPMSolverV3', 'DDIM'));
  });

  it('refuses solvers that make several calls for a step, by name', () => {
    assertRefused(
      /mix HeunDiscreteScheduler .*13 calls of the model for 7 steps/,
      full('DDIM', 'HeunDiscrete'),
    );
    assertRefused(
      /mix PNDMScheduler .*3 calls of the model for 2 steps/,
      full('HeunDiscrete', 'PNDM').toReversed(),
      {
        t_index_list: [5, 20],
      },
    );
  });

  it('refuses to go back over a step that has added noise, by name', () => {
    for (const back of ['BDIA', 'UniPCMultistep']) {
      assertRefused(
        new RegExp(`not have ${back}Scheduler in step 3: .*before step 2, where LCMScheduler adds noise`),
        full('DDIM', 'LCM', back),
      );
      mixOf(full('LCM', 'DDIM', back));
    }
  });

  it('refuses solvers for models that predict something else, or that restore pictures', () => {
    assertRefused(/must be one of LCM.*not FlowMatchEuler/, full('DDIM', 'FlowMatchEulerDiscrete'));
    assertRefused(
      /predicts flow, not DDIMScheduler/,
      full('FlowMatchEulerDiscrete', 'DDIM'),
      {},
      {
        prediction_type: 'flow',
      },
    );
    assertRefused(/must be one of .* not PeRFlow/, full('PeRFlow', 'DDIM'));
    const restoring = { mean_reverting: { T: 100, max_sigma: 50, eps: 0.005 } };
    assertRefused(/for a mean-reverting model, not DDIM/, full('DPMSolverMultistep', 'DDIM'), {}, restoring);
    assertRefused(/dpm_solver_v3\.json/, full('DDIM', 'DPMSolverV3'), {}, { statistics: undefined });
    const perElement = Float64Array.from({ length: 601 * length }, () => 0.5);
    const statistics = { elements: length, l: perElement, s: perElement, b: perElement };
    assertRefused(
      /mix DPMSolverV3Scheduler .*element to element/,
      full('DDIM', 'DPMSolverV3'),
      {},
      { statistics },
    );
  });

  it('names other options that are invalid as without it', () => {
    const wrong: readonly (readonly [string, Partial<SolverOptions>])[] = [
      ['num_inference_steps', { num_inference_steps: Number.NaN, t_index_list: null }],
      ['num_inference_steps', { num_inference_steps: Infinity, t_index_list: null }],
      ['num_inference_steps', { num_inference_steps: -1, t_index_list: null }],
      ['t_index_list', { t_index_list: [] }],
      ['t_index_list', { t_index_list: [4, 4] }],
      ['solver_order', { solver_order: 4 }],
      ['eta', { eta: Number.NaN }],
    ];
    for (const [field, changes] of wrong) {
      assert.throws(
        () => mixOf(full('DDIM', 'DPMSolverMultistep'), changes),
        (error) => error instanceof SolverError && error.field === field,
        field,
      );
    }
  });
});
