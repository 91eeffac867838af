import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parameterSchemas, solverNames, solverParameterNames, type ParameterName } from '@millrace/protocol';
import {
  createSolver,
  SolverError,
  solversFor,
  type SolverName,
  type SolverOptions,
} from '../../../src/diffusion/solvers/create.js';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { solversWith } from '../../support/parameters.js';
import { configFor, defaultOptions, stableDiffusion } from './solver-settings.js';

type Choice = Partial<SolverOptions>;

/** Values of each sampling parameter that give different results, if a solver honours it. */
const choices = {
  timestep_spacing: (['leading', 'trailing', 'linspace'] as const).map((timestep_spacing) => ({
    timestep_spacing,
  })),
  solver_order: ([1, 2, 3, 4] as const).map((solver_order) => ({ solver_order })),
  algorithm_type: (['dpmsolver', 'dpmsolver++', 'sde-dpmsolver', 'sde-dpmsolver++'] as const).map(
    (algorithm_type) => ({ algorithm_type }),
  ),
  use_karras_sigmas: [{ use_karras_sigmas: false }, { use_karras_sigmas: true }],
  momentum_beta: [{ momentum_beta: 0.5 }, { momentum_beta: 0.8 }],
  flow_shift: [{ flow_shift: 1 }, { flow_shift: 3 }],
  use_corrector: [{ use_corrector: true }, { use_corrector: false }],
  bdia_gamma: [{ bdia_gamma: 0 }, { bdia_gamma: 0.5 }, { bdia_gamma: 1 }],
  eta: [{ eta: 0 }, { eta: 1 }],
  gamma: [{ gamma: 0 }, { gamma: 1 }],
  do_add_noise: [{ do_add_noise: true }, { do_add_noise: false }],
} as const satisfies Readonly<Partial<Record<ParameterName, readonly Choice[]>>>;

/** Parameters that every solver honours. */
const common: Readonly<Record<string, readonly Choice[]>> = {
  num_inference_steps: [{ num_inference_steps: 10 }, { num_inference_steps: 12 }],
  t_index_list: [{ t_index_list: null }, { t_index_list: [3, 7] }],
};

/** Runs a solver on a sample whose predicted noise rises and falls; returns all results. */
function run(options: Choice): string {
  const solver = createSolver(configFor(options.solver ?? defaultOptions.solver), {
    ...defaultOptions,
    num_inference_steps: 10,
    ...options,
  });
  const sample = Float64Array.of(0.5, -1, 2);
  const history = solver.createHistory(sample.length);
  const trail: unknown[] = [solver.initNoiseSigma];
  for (const [i, stage] of solver.stages.entries()) {
    const eps = sample.map((value, k) => Math.sin(value + i + k));
    const noise = sample.map((_, k) => Math.cos(i - k));
    solver.step({ stage: i, sample, eps, noise, history, out: sample });
    trail.push(stage, [...sample]);
  }
  return JSON.stringify(trail);
}

/** Whether a solver of order up to 3 is given a higher one, which is refused. */
function refuses(options: Choice): boolean {
  try {
    run(options);
    return false;
  } catch (error) {
    if (error instanceof SolverError && error.field === 'solver_order') return true;
    throw error;
  }
}

/** Returns the solvers whose result differs for each of these choices. */
function honouring(list: readonly Choice[], parameter: string): readonly string[] {
  return solverNames.filter((name) => {
    const accepted = list.filter((choice) => !refuses({ solver: name, ...choice }));
    const { size } = new Set(accepted.map((choice) => run({ solver: name, ...choice })));
    assert.ok(size === 1 || size === accepted.length, `${name} honours a part of ${parameter}`);
    return size > 1;
  });
}

describe('the conditions of solver options', () => {
  for (const [parameter, list] of Object.entries(choices)) {
    it(`names the solvers that honour ${parameter}, and no other`, () => {
      assert.deepEqual(solversWith[parameter as ParameterName], honouring(list, parameter));
    });
  }

  for (const [parameter, list] of Object.entries(common)) {
    it(`leaves out ${parameter}, which all solvers honour`, () => {
      assert.deepEqual(honouring(list, parameter), solverNames);
      assert.ok(!(parameter in solversWith));
    });
  }

  it('names the solvers that add noise between steps for noise_by_time', () => {
    const adding = solverNames.filter((solver) => {
      const random = { eta: 1, gamma: 1, algorithm_type: 'sde-dpmsolver++' } as const;
      return createSolver(configFor(solver), { ...defaultOptions, ...random, solver }).addsNoise;
    });
    assert.deepEqual(solversWith.noise_by_time, adding);
  });

  it('has every option that the schema offers choices for', () => {
    const options = solverParameterNames.filter((name) => !/^solver(_schedule)?$/.test(name));
    assert.deepEqual(options.toSorted(), Object.keys(choices).toSorted());
    for (const parameter of ['timestep_spacing', 'solver_order', 'algorithm_type'] as const) {
      const values = parameterSchemas[parameter].enum?.filter((value) => value !== null);
      assert.deepEqual(
        values,
        choices[parameter].flatMap((choice: Choice) => Object.values(choice)),
      );
    }
  });
});

describe('solversFor', () => {
  it('names exactly the solvers that can be created for a model', () => {
    const creates = (config: SchedulerConfig, solver: SolverName): boolean => {
      try {
        createSolver(config, { ...defaultOptions, solver });
        return true;
      } catch (error) {
        if (error instanceof SolverError && error.field === 'solver') return false;
        throw error;
      }
    };
    const { statistics: _, ...bare } = stableDiffusion;
    const configs: readonly SchedulerConfig[] = [
      stableDiffusion,
      bare,
      { ...bare, prediction_type: 'v_prediction' },
      { ...bare, prediction_type: 'flow' },
      { ...bare, prediction_type: 'velocity' },
      { mean_reverting: { T: 100, max_sigma: 50, eps: 0.005 } },
    ];
    for (const config of configs) {
      assert.deepEqual(
        solversFor(config),
        solverNames.filter((solver) => creates(config, solver)),
      );
    }
  });
});
