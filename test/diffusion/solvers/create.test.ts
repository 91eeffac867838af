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
import { configFor, defaultOptions } from './solver-settings.js';

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
  GHVBScheduler: (steps) => steps,
  PLMSWithHBScheduler: (steps) => steps,
  PLMSWithNTScheduler: (steps) => steps,
  FlowMatchEulerDiscreteScheduler: (steps) => steps,
  FlowMatchHeunDiscreteScheduler: (steps) => 2 * steps - 1,
  PeRFlowScheduler: (steps) => steps,
  BDIAScheduler: (steps) => steps,
  DPMSolverV3Scheduler: (steps) => steps,
  EulerMaruyamaScheduler: (steps) => steps,
};

function make(
  options: Partial<SolverOptions>,
  config: SchedulerConfig = {},
): ReturnType<typeof createSolver> {
  return createSolver(
    { ...configFor(options.solver ?? defaultOptions.solver), skip_prk_steps: true, ...config },
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
      for (const steps of name === 'PeRFlowScheduler' ? [4, 5] : [1, 2, 5]) {
        assert.equal(
          make({ solver: name, num_inference_steps: steps }).stages.length,
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
      assert.equal(slots({ solver: 'DPMSolverMultistepScheduler', solver_order: order }), outputs);
      assert.equal(slots({ solver: 'DEISMultistepScheduler', solver_order: order }), outputs);
      const own = ['last', 'm1', 'm2', 'm3'].slice(0, order + 1);
      assert.equal(slots({ solver: 'UniPCMultistepScheduler', solver_order: order }), own.join());
    }
    for (const name of ['PLMSWithHBScheduler', 'PLMSWithNTScheduler'] as const) {
      assert.equal(slots({ solver: name, solver_order: 1 }), 'velocity');
      assert.equal(slots({ solver: name, solver_order: 4 }), 'm1,m2,m3,velocity');
    }
    assert.equal(slots({ solver: 'GHVBScheduler', solver_order: 1 }), 'm1');
    assert.equal(slots({ solver: 'GHVBScheduler', solver_order: 4 }), 'm1,m2,m3');
    assert.equal(slots({ solver: 'DPMSolverMultistepScheduler', momentum_beta: 0.5 }), 'm1,velocity');
    assert.equal(slots({ solver: 'UniPCMultistepScheduler', momentum_beta: 0.5 }), 'last,m1,m2,velocity');
    const v3 = 'DPMSolverV3Scheduler';
    assert.equal(slots({ solver: v3, solver_order: 1, use_corrector: false }), '');
    assert.equal(slots({ solver: v3, solver_order: 3, use_corrector: false }), 'm1,m2');
    assert.equal(slots({ solver: v3, solver_order: 3 }), 'last,m1,m2,m3');
    assert.equal(slots({ solver: 'BDIAScheduler' }), 'before');
    assert.equal(slots({ solver: 'PNDMScheduler' }), 'm1,m2,m3,start');
    assert.equal(slots({ solver: 'PNDMScheduler' }, { skip_prk_steps: false }), 'm1,m2,m3,mean,start');
    assert.equal(slots({ solver: 'HeunDiscreteScheduler' }), 'slope,start');
    for (const name of ['LCMScheduler', 'TCDScheduler', 'DDIMScheduler', 'EulerDiscreteScheduler'] as const)
      assert.equal(slots({ solver: name }), '');
  });

  it('takes the stages at the given positions of the schedule', () => {
    for (const name of solverNames) {
      const whole = make({ solver: name }).stages;
      // The later of the calls that Heun and PNDM make for one timestep are at the same level of noise.
      const levels = whole.filter(({ timestep }, i) => i === 0 || timestep !== whole[i - 1].timestep);
      for (const t_index_list of [[0], [3, 7, 19], [15, 16, 17, 18, 19]]) {
        const picked = make({ solver: name, t_index_list }).stages;
        assert.deepEqual(
          picked.filter(({ timestep }, i) => i === 0 || timestep !== picked[i - 1].timestep),
          t_index_list.map((position) => levels[position]),
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
        'EulerMaruyamaScheduler',
      ].includes(name);
      const solver = make({ solver: name, timestep_spacing: 'trailing' });
      for (const { a, b, inputScale } of solver.stages) {
        const isFlow = name.startsWith('FlowMatch');
        assert.ok(Math.abs((isFlow ? a + b : a ** 2 + b ** 2) - 1) < 1e-9);
        assert.equal(inputScale, exploding ? a : 1);
      }
      assert.ok(Math.abs(solver.initNoiseSigma - (exploding ? 14.6146 : 1)) < 1e-3, name);
    }
  });

  it('lowers orders at the end of few steps, but not in a schedule that is entered late', () => {
    const sample = Float32Array.of(1);
    /** Whether the last step looks at more than the current prediction. */
    const remembersAtEnd = (t_index_list: readonly number[]): boolean => {
      const solver = make({ solver: 'DEISMultistepScheduler', solver_order: 3, t_index_list });
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
    const [noisy, quiet] = [true, false].map((do_add_noise) => make({ do_add_noise, t_index_list: [0, 10] }));
    assert.deepEqual([noisy.addsNoise, quiet.addsNoise], [true, false]);
    // Near timestep 0 the boundary scaling nearly keeps the sample: with a small scale, it shows.
    const [scaled, plain] = [true, false].map((boundaryScaling) => {
      const solver = make({ boundaryScaling, t_index_list: [19] }, { timestep_scaling: 0.001 });
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
    const { a, b } = make({ t_index_list: [19] }).stages[0];
    assert.ok(Math.abs(plain - (1 - b) / a) < 1e-5);
    assert.ok(Math.abs(scaled - plain) > 0.01);
  });

  it('spreads noise between the ends of the configuration if the solver family has them', () => {
    const ends = (name: SolverName, config: SchedulerConfig): readonly number[] => {
      const { stages } = make({ solver: name, use_karras_sigmas: true, num_inference_steps: 5 }, config);
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
    assertRefused('t_index_list', /0 to 19.*not 20/, { t_index_list: [3, 20] });
    assertRefused('t_index_list', /0 to 19.*not -1/, { t_index_list: [-1] });
    assertRefused('t_index_list', /whole numbers.*not 1\.5/, { t_index_list: [1.5] });
    assertRefused('t_index_list', /rise.*4 follows 4/, { t_index_list: [4, 4] });
    assertRefused('t_index_list', /at least one/, { t_index_list: [] });
    assertRefused('num_inference_steps', /1 to 50 .*not 51/, { num_inference_steps: 51 });
    assertRefused('num_inference_steps', /1 to 1000 .*not 0/, {
      solver: 'DDIMScheduler',
      num_inference_steps: 0,
    });
    assertRefused('num_inference_steps', /1 to 1000 .*not 1001/, {
      solver: 'PNDMScheduler',
      num_inference_steps: 1001,
    });
    assertRefused('num_inference_steps', /NaN/, {
      solver: 'EulerDiscreteScheduler',
      num_inference_steps: Number.NaN,
    });
    assertRefused('num_inference_steps', /distinct timesteps .*1000/, {
      solver: 'DPMSolverMultistepScheduler',
      num_inference_steps: 1000,
    });
    assertRefused('num_inference_steps', /distinct timesteps .*1000/, {
      solver: 'DDIMScheduler',
      num_inference_steps: 1000,
    });
    assertRefused('eta', /0 to 1, not 1\.1/, { solver: 'DDIMScheduler', eta: 1.1 });
    for (const wrong of [-0.1, 1.1, Number.NaN]) {
      const message = new RegExp(`0 to 1, not ${wrong}`);
      assertRefused('eta', message, { solver: 'DDIMScheduler', eta: wrong });
      assertRefused('gamma', message, { solver: 'TCDScheduler', gamma: wrong });
      assertRefused('bdia_gamma', message, { solver: 'BDIAScheduler', bdia_gamma: wrong });
    }
    for (const solver of ['GHVBScheduler', 'PLMSWithHBScheduler', 'UniPCMultistepScheduler'] as const) {
      for (const wrong of [0, -0.5, 1.01, Number.NaN]) {
        assertRefused('momentum_beta', new RegExp(`above 0, up to 1, not ${wrong}`), {
          solver,
          momentum_beta: wrong,
        });
      }
    }
    const upTo3 = [
      'DPMSolverMultistepScheduler',
      'DEISMultistepScheduler',
      'UniPCMultistepScheduler',
      'DPMSolverV3Scheduler',
    ] as const;
    for (const solver of upTo3) {
      assertRefused('solver_order', new RegExp(`1, 2 or 3 for ${solver}, not 4`), {
        solver,
        solver_order: 4,
      });
    }
    for (const right of [0, 1]) {
      make({ solver: 'DDIMScheduler', eta: right });
      make({ solver: 'TCDScheduler', gamma: right });
      make({ solver: 'BDIAScheduler', bdia_gamma: right });
    }
  });

  it('refuses model configurations that it does not support', () => {
    const v3 = { solver: 'DPMSolverV3Scheduler' } as const;
    assertRefused('solver', /dpm_solver_v3\.json/, v3, { statistics: undefined });
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
      { solver: 'DPMSolverMultistepScheduler' },
      { lambda_min_clipped: 99 },
    );
  });
});
