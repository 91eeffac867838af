import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { solverNames } from '@millrace/protocol';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import {
  createSolver,
  SolverError,
  type SolverName,
  type SolverOptions,
} from '../../../src/diffusion/solvers/create.js';
import { defaultOptions, stableDiffusion } from './solver-settings.js';

/** The number of model calls that a solver makes for a number of steps. */
const calls: Readonly<Record<SolverName, (steps: number) => number>> = {
  LCMScheduler: (steps) => steps,
  TCDScheduler: (steps) => steps,
  DDIMScheduler: (steps) => steps,
  EulerDiscreteScheduler: (steps) => steps,
  EulerAncestralDiscreteScheduler: (steps) => steps,
  HeunDiscreteScheduler: (steps) => 2 * steps - 1,
  DPMSolverMultistepScheduler: (steps) => steps,
  DEISMultistepScheduler: (steps) => steps,
  UniPCMultistepScheduler: (steps) => steps,
  PNDMScheduler: (steps) => (steps === 1 ? 1 : steps + 1),
};

function make(
  options: Partial<SolverOptions>,
  config: SchedulerConfig = {},
): ReturnType<typeof createSolver> {
  return createSolver(
    { ...stableDiffusion, skip_prk_steps: true, ...config },
    { ...defaultOptions, ...options },
  );
}

function assertRefused(
  field: string,
  message: RegExp,
  options: Partial<SolverOptions>,
  config: SchedulerConfig = {},
): void {
  assert.throws(
    () => make(options, config),
    (error) => error instanceof SolverError && error.field === field && message.test(error.message),
  );
}

describe('createSolver', () => {
  it('creates every solver that the protocol names, and no other', () => {
    assert.deepEqual(Object.keys(calls), [...solverNames]);
    for (const name of solverNames) {
      for (const steps of [1, 2, 5]) {
        assert.equal(
          make({ name, numInferenceSteps: steps }).stages.length,
          calls[name](steps),
          `${name} ${steps}`,
        );
      }
    }
  });

  it('creates solvers that remember what their order needs, and no more', () => {
    const slots = (options: Partial<SolverOptions>, config: SchedulerConfig = {}): string =>
      Object.keys(make(options, config).createHistory(1)).toSorted().join();
    for (const [order, outputs] of [
      [1, ''],
      [2, 'm1'],
      [3, 'm1,m2'],
    ] as const) {
      assert.equal(slots({ name: 'DPMSolverMultistepScheduler', order }), outputs);
      assert.equal(slots({ name: 'DEISMultistepScheduler', order }), outputs);
      const own = ['last', 'm1', 'm2', 'm3'].slice(0, order + 1);
      assert.equal(slots({ name: 'UniPCMultistepScheduler', order }), own.join());
    }
    assert.equal(slots({ name: 'PNDMScheduler' }), 'm1,m2,m3,start');
    assert.equal(slots({ name: 'PNDMScheduler' }, { skip_prk_steps: false }), 'm1,m2,m3,mean,start');
    assert.equal(slots({ name: 'HeunDiscreteScheduler' }), 'slope,start');
    for (const name of ['LCMScheduler', 'TCDScheduler', 'DDIMScheduler', 'EulerDiscreteScheduler'] as const)
      assert.equal(slots({ name }), '');
  });

  it('takes the stages at the given positions of the schedule', () => {
    for (const name of solverNames) {
      const whole = make({ name }).stages;
      // The later of the calls that Heun and PNDM make for one timestep are at the same level of noise.
      const levels = whole.filter(({ timestep }, i) => i === 0 || timestep !== whole[i - 1].timestep);
      for (const tIndexList of [[0], [3, 7, 19], [15, 16, 17, 18, 19]]) {
        const picked = make({ name, tIndexList }).stages;
        assert.deepEqual(
          picked.filter(({ timestep }, i) => i === 0 || timestep !== picked[i - 1].timestep),
          tIndexList.map((position) => levels[position]),
          name,
        );
      }
    }
  });

  it('keeps samples of Euler solvers at x0 + sigma z, with the scale of model inputs and pure noise', () => {
    for (const name of solverNames) {
      const exploding = [
        'EulerDiscreteScheduler',
        'EulerAncestralDiscreteScheduler',
        'HeunDiscreteScheduler',
      ].includes(name);
      const solver = make({ name, timestepSpacing: 'trailing' });
      for (const { a, b, inputScale } of solver.stages) {
        assert.ok(Math.abs(a ** 2 + b ** 2 - 1) < 1e-9);
        assert.equal(inputScale, exploding ? a : 1);
      }
      assert.ok(Math.abs(solver.initNoiseSigma - (exploding ? 14.6146 : 1)) < 1e-3, name);
    }
  });

  it('lowers orders at the end of few steps, but not in a schedule that is entered late', () => {
    const sample = Float32Array.of(1);
    /** Whether the last step looks at more than the current prediction. */
    const remembersAtEnd = (tIndexList: readonly number[]): boolean => {
      const solver = make({ name: 'DEISMultistepScheduler', order: 3, tIndexList });
      const results = [0, 1].map((remembered) => {
        const history = solver.createHistory(1);
        for (const value of Object.values(history))
          assert.ok(value instanceof Float32Array && value.fill(remembered));
        const out = new Float32Array(1);
        solver.step({ stage: solver.stages.length - 1, sample, eps: sample, noise: sample, history, out });
        return out[0];
      });
      return results[0] !== results[1];
    };
    assert.equal(remembersAtEnd([10, 11, 12, 13, 14, 15, 16, 17, 18, 19]), true);
    assert.equal(remembersAtEnd([9, 11, 12, 13, 14, 15, 16, 17, 18, 19]), false);
  });

  it('leaves out noise and boundary scaling of LCM on request', () => {
    const [noisy, quiet] = [true, false].map((addNoise) => make({ addNoise, tIndexList: [0, 10] }));
    assert.deepEqual([noisy.addsNoise, quiet.addsNoise], [true, false]);
    // Near timestep 0 the boundary scaling nearly keeps the sample: with a small scale, it shows.
    const [scaled, plain] = [true, false].map((boundaryScaling) => {
      const solver = make({ boundaryScaling, tIndexList: [19] }, { timestep_scaling: 0.001 });
      const out = new Float32Array(1);
      solver.step({
        stage: 0,
        sample: Float32Array.of(1),
        eps: Float32Array.of(1),
        noise: out,
        history: solver.createHistory(1),
        out,
      });
      return out[0];
    });
    const { a, b } = make({ tIndexList: [19] }).stages[0];
    assert.ok(Math.abs(plain - (1 - b) / a) < 1e-5);
    assert.ok(Math.abs(scaled - plain) > 0.01);
  });

  it('spreads noise between the ends of the configuration if the solver family has them', () => {
    const ends = (name: SolverName, config: SchedulerConfig): readonly number[] => {
      const { stages } = make({ name, useKarrasSigmas: true, numInferenceSteps: 5 }, config);
      return [stages[0], stages[4]].map(({ a, b }) => b / a);
    };
    const near = (got: readonly number[], want: readonly number[]): void => {
      for (const [i, value] of want.entries()) assert.ok(Math.abs(got[i] / value - 1) < 2e-3, got.join());
    };
    const bounds = { sigma_min: 0.5, sigma_max: 5 };
    for (const name of ['EulerDiscreteScheduler', 'UniPCMultistepScheduler'] as const) {
      near(ends(name, bounds), [5, 0.5]);
      near(ends(name, {}), [14.6146, 0.0292]);
    }
    near(ends('DPMSolverMultistepScheduler', bounds), [14.6146, 0.0292]);
  });

  it('names the field, the range and the invalid value', () => {
    assertRefused('t_index_list', /0 to 19.*not 20/, { tIndexList: [3, 20] });
    assertRefused('t_index_list', /0 to 19.*not -1/, { tIndexList: [-1] });
    assertRefused('t_index_list', /whole numbers.*not 1\.5/, { tIndexList: [1.5] });
    assertRefused('t_index_list', /rise.*4 follows 4/, { tIndexList: [4, 4] });
    assertRefused('t_index_list', /at least one/, { tIndexList: [] });
    assertRefused('num_inference_steps', /1 to 50 .*not 51/, { numInferenceSteps: 51 });
    assertRefused('num_inference_steps', /1 to 1000 .*not 0/, {
      name: 'DDIMScheduler',
      numInferenceSteps: 0,
    });
    assertRefused('num_inference_steps', /1 to 1000 .*not 1001/, {
      name: 'PNDMScheduler',
      numInferenceSteps: 1001,
    });
    assertRefused('num_inference_steps', /NaN/, {
      name: 'EulerDiscreteScheduler',
      numInferenceSteps: Number.NaN,
    });
    assertRefused('num_inference_steps', /distinct timesteps .*1000/, {
      name: 'DPMSolverMultistepScheduler',
      numInferenceSteps: 1000,
    });
    assertRefused('num_inference_steps', /distinct timesteps .*1000/, {
      name: 'DDIMScheduler',
      numInferenceSteps: 1000,
    });
    assertRefused('eta', /0 to 1, not 1\.1/, { name: 'DDIMScheduler', eta: 1.1 });
    for (const wrong of [-0.1, 1.1, Number.NaN]) {
      const message = new RegExp(`0 to 1, not ${wrong}`);
      assertRefused('eta', message, { name: 'DDIMScheduler', eta: wrong });
      assertRefused('gamma', message, { name: 'TCDScheduler', gamma: wrong });
    }
    for (const right of [0, 1]) {
      make({ name: 'DDIMScheduler', eta: right });
      make({ name: 'TCDScheduler', gamma: right });
    }
  });

  it('refuses model configurations that it does not support', () => {
    assertRefused('solver', /use_flow_sigmas/, {}, { use_flow_sigmas: true });
    assertRefused('solver', /timestep_type/, {}, { timestep_type: 'continuous' });
    assertRefused('solver', /"exp"/, {}, { beta_schedule: 'exp' });
    for (const steps of [0, 1001, 2000]) {
      const message = new RegExp(`original_inference_steps.*${steps}`);
      assertRefused('solver', message, {}, { original_inference_steps: steps });
    }
    assertRefused(
      'solver',
      /lambda_min_clipped/,
      { name: 'DPMSolverMultistepScheduler' },
      { lambda_min_clipped: 99 },
    );
  });
});
