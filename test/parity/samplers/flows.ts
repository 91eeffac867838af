import assert from 'node:assert/strict';
import { predictedNoise } from '../../../src/diffusion/prediction.js';
import type { SchedulerConfig } from '../../../src/diffusion/schedule.js';
import { createSolver, type SolverName, type SolverOptions } from '../../../src/diffusion/solvers/create.js';
import type { PredictionType, Solver } from '../../../src/diffusion/types.js';
import { followSolver, type SamplerRun } from '../../support/sampler-table.js';

const timestepTolerance = 1e-3;

/** Follows flow matching as in diffusers. */
export function followFlow(run: SamplerRun): void {
  const { parameters } = run.table;
  const {
    use_karras_sigmas = false,
    stochastic_sampling,
    ...config
  } = parameters['config'] as SchedulerConfig & {
    readonly use_karras_sigmas?: boolean;
    readonly stochastic_sampling?: boolean;
  };
  follow(run, 'flow', config, {
    solver: parameters['class'] as SolverName,
    timestep_spacing: parameters['sigmas'] === 'even' ? 'trailing' : null,
    use_karras_sigmas,
    eta: stochastic_sampling === true ? 1 : 0,
  });
}

/** Follows InstaFlow, whose outputs point to the image. */
export function followInstaFlow(run: SamplerRun): void {
  follow(
    run,
    'reverse_flow',
    {},
    {
      solver: 'FlowMatchEulerDiscreteScheduler',
      timestep_spacing: 'trailing',
    },
  );
}

/** Follows PeRFlow, which makes at least one step in each window. */
export function followPerflow(run: SamplerRun): void {
  const { prediction, windows = 4 } = run.table.parameters as {
    readonly prediction: PredictionType;
    readonly windows?: number;
  };
  follow(
    run,
    prediction,
    { ...run.table.schedule, num_time_windows: windows },
    { solver: 'PeRFlowScheduler', num_inference_steps: Math.max(run.steps, windows) },
  );
}

function follow(
  run: SamplerRun,
  prediction: PredictionType,
  config: SchedulerConfig,
  options: Partial<SolverOptions> & Pick<SolverOptions, 'solver'>,
): void {
  const solver = createSolver(
    { ...config, prediction_type: prediction },
    {
      num_inference_steps: run.steps,
      t_index_list: null,
      timestep_spacing: null,
      solver_order: 1,
      algorithm_type: 'dpmsolver++',
      use_karras_sigmas: false,
      eta: 0,
      gamma: 0,
      do_add_noise: true,
      ...options,
    },
  );
  const timesteps = run.tensor('timesteps');
  for (const [i, { timestep }] of solver.stages.entries()) {
    const error = Math.abs(timestep - timesteps[i]);
    assert.ok(
      error <= timestepTolerance,
      `${run.steps} steps: timestep ${i} is ${timestep}, not ${timesteps[i]}`,
    );
  }
  if (run.has('sigmas')) {
    const levels = solver.stages.map(({ b }) => b);
    run.compare([...levels, 0], run.tensor('sigmas'), 'noise levels');
  }
  followSolver(takingOutputs(solver, prediction), run);
}

/** Returns the same solver for outputs of the model in place of the noise that they stand for. */
function takingOutputs(solver: Solver, prediction: PredictionType): Solver {
  return {
    ...solver,
    step(step) {
      const eps = new Float64Array(step.eps.length);
      const output = Float32Array.from(step.eps);
      predictedNoise(prediction, solver.stages[step.stage], step.sample, output, eps);
      solver.step({ ...step, eps });
    },
  };
}
