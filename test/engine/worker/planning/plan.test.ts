import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  defaultParameters,
  parameterNames,
  parameterSchemas,
  type StreamParameters,
} from '@millrace/protocol';
import {
  admissionOf,
  createPlan,
  guidanceOf,
  weightedPrompts,
  type PlanModel,
} from '../../../../src/engine/worker/planning/plan.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const model: PlanModel = {
  folder,
  mixesTimesteps: true,
  latentShape: ({ width, height }) => [4, height / folder.pixelFactor, width / folder.pixelFactor],
};
const side = 8 * folder.sizeFactor;

function parametersWith(changes: Partial<StreamParameters> = {}): StreamParameters {
  return { ...defaultParameters(), width: side, height: side, ...changes };
}

function assertRefused(
  field: string,
  message: RegExp,
  changes: Partial<StreamParameters>,
  folderChanges: Partial<PlanModel['folder']> = {},
): void {
  const changed = { ...model, folder: { ...folder, ...folderChanges } };
  assert.throws(() => createPlan(changed, parametersWith(changes)), {
    name: 'ParameterError',
    field,
    message,
  });
}

/** Returns the noise of the first stage for two frames. */
function noises(changes: Partial<StreamParameters>): readonly [Float32Array, Float32Array] {
  const { noise } = createPlan(model, parametersWith(changes));
  return [noise.at(0, 0).slice(), noise.at(0, 1).slice()];
}

describe('a plan', () => {
  it('is made from the parameters that apply to plans, all of them and no others', () => {
    const read = new Set<string>();
    const parameters = parametersWith({ noise: 'drift', t_index_list: null });
    const watched = new Proxy(parameters, {
      get(values, name) {
        read.add(String(name));
        return Reflect.get(values, name) as unknown;
      },
    });
    createPlan(model, watched);
    const planned = parameterNames.filter((name) => parameterSchemas[name]['x-applies'].includes('plan'));
    assert.deepEqual([...read].toSorted(), planned.toSorted());
  });

  it('bounds the estimates of the picture, and never the stock noise', () => {
    const bounds = { clip_sample: true, thresholding: true, clip_sample_range: 0.01, sample_max_value: 0.01 };
    const planWith = (more: object): ReturnType<typeof createPlan> =>
      createPlan(
        { ...model, folder: { ...folder, scheduler: { ...folder.scheduler, ...more } } },
        parametersWith({ solver: 'DDIMScheduler', t_index_list: [10, 20] }),
      );
    const [bounded, free] = [planWith(bounds), planWith({ clip_sample: false, thresholding: false })];
    const stepped = (solver: 'solver' | 'stockSolver', plan: typeof bounded): Float32Array => {
      const out = new Float32Array(4);
      const history = plan[solver].createHistory(4);
      const [sample, eps] = [Float32Array.of(1, 2, 3, 4), Float64Array.of(4, 3, 2, 1)];
      plan[solver].step({ stage: 0, sample, eps, noise: new Float32Array(4), history, out });
      return out;
    };
    assert.notDeepEqual(stepped('solver', bounded), stepped('solver', free));
    assert.deepEqual(stepped('stockSolver', bounded), stepped('stockSolver', free));
    for (const kind of ['clip_sample', 'thresholding']) {
      const one = planWith({ ...bounds, clip_sample: false, thresholding: false, [kind]: true });
      assert.notDeepEqual(stepped('solver', one), stepped('solver', free), kind);
      assert.deepEqual(stepped('stockSolver', one), stepped('stockSolver', free), kind);
    }
  });

  it('has noise that stays, or that drifts if requested', () => {
    const [first, second] = noises({ noise: 'fixed', noise_drift: 0.1 });
    assert.deepEqual(second, first);
    const [before, after] = noises({ noise: 'drift', noise_drift: 0.1 });
    assert.deepEqual(before, first);
    assert.notDeepEqual(after, before);
    assert.deepEqual(noises({ noise: 'move' })[0], first);
  });

  it('has noise by time if requested, for what solvers add between stages alone', () => {
    const options = { solver: 'EulerAncestralDiscreteScheduler', t_index_list: [10, 30] } as const;
    for (const noise of ['fixed', 'drift', 'move'] as const) {
      const at = (
        stage: number,
        noise_by_time: boolean,
        more: Partial<StreamParameters> = {},
      ): Float32Array =>
        createPlan(model, parametersWith({ ...options, noise, noise_by_time, ...more })).noise.at(stage, 0);
      assert.deepEqual(at(0, true), at(0, false));
      assert.notDeepEqual(at(1, true), at(1, false), noise);
      assert.notDeepEqual(at(1, true), at(1, true, { t_index_list: [10, 31] }), 'it depends on the stages');
      assert.deepEqual(at(1, false), at(1, false, { t_index_list: [10, 31] }));
      // Nothing is computed for solvers that add none.
      const deterministic = { solver: 'DDIMScheduler' } as const;
      assert.deepEqual(at(1, true, deterministic), at(1, false, deterministic));
    }
  });

  it('shifts the noise levels of a flow by the size of the picture if the model says so', () => {
    const scheduler = { prediction_type: 'flow', use_dynamic_shifting: true };
    const flow = { ...model, folder: { ...folder, predictionType: 'flow', scheduler } } as const;
    const secondTimestep = (width: number): number => {
      const chosen = { solver: 'FlowMatchEulerDiscreteScheduler', t_index_list: [0, 25], width } as const;
      return createPlan(flow, parametersWith(chosen)).solver.stages[1].timestep;
    };
    assert.ok(secondTimestep(2 * side) > secondTimestep(side));
  });

  it('takes one seed, or several with weights', () => {
    const [one] = noises({ seed: 7 });
    assert.deepEqual(noises({ seed: [{ seed: 7, weight: 2 }] })[0], one);
    assert.notDeepEqual(
      noises({
        seed: [
          { seed: 7, weight: 2 },
          { seed: 8, weight: 1 },
        ],
      })[0],
      one,
    );
    assertRefused('seed', /at least one weight of seed/, { seed: [{ seed: 7, weight: 0 }] });
  });

  it('has the requested size if the model supports it', () => {
    const { shape } = createPlan(model, parametersWith({ width: 2 * side }));
    assert.deepEqual(shape, [4, side / folder.pixelFactor, (2 * side) / folder.pixelFactor]);
    for (const name of ['width', 'height'] as const) {
      assertRefused(name, /multiple of/, { [name]: side + 1 });
      const fixedSize = { ...folder.fixedSize, [name]: 2 * side };
      assertRefused(name, new RegExp(`must be ${2 * side}, the only ${name}`), {}, { fixedSize });
      createPlan({ ...model, folder: { ...folder, fixedSize } }, parametersWith({ [name]: 2 * side }));
    }
  });

  it('refuses guidance if the model guides itself', () => {
    assertRefused('cfg_type', /guides itself/, { cfg_type: 'full' }, { selfGuided: true });
    createPlan({ ...model, folder: { ...folder, selfGuided: true } }, parametersWith({ cfg_type: 'none' }));
  });

  it('refuses statistics for latents of another size', () => {
    const values = Float64Array.from({ length: 2 * 7 }, () => 1);
    const statistics = { elements: 7, l: values, s: values, b: values };
    const scheduler = { ...folder.scheduler, statistics };
    const solver = 'DPMSolverV3Scheduler';
    assertRefused(
      'solver',
      /statistics of 7 elements .* latents of 4x\d+x\d+ have/,
      { solver },
      { scheduler },
    );
    assertRefused('solver', /dpm_solver_v3\.json/, { solver });
    const solver_schedule = [solver, 'DDIMScheduler'] as const;
    assertRefused('solver_schedule', /statistics of 7 elements/, { solver_schedule }, { scheduler });
    assertRefused('solver_schedule', /dpm_solver_v3\.json/, { solver_schedule });
  });

  it('has the solvers of steps that are listed, for any number of steps', () => {
    const list = ['DDIMScheduler', 'GHVBScheduler', 'UniPCMultistepScheduler'] as const;
    const planWith = (changes: Partial<StreamParameters>): ReturnType<typeof createPlan> =>
      createPlan(model, parametersWith({ t_index_list: null, strength: 0.8, ...changes }));
    for (let steps = 1; steps <= 10; steps++) {
      const { solver, stockSolver } = planWith({ solver_schedule: list, steps });
      assert.equal(solver.stages.length, steps);
      assert.deepEqual(stockSolver.stages, solver.stages);
      const slots = Object.keys(solver.createHistory(1));
      // The last step has no use for the sample before it: it goes to the clean estimate.
      assert.equal(slots.includes('UniPCMultistepScheduler.last'), steps > 3, `${steps}`);
    }
    const ancestral = ['DDIMScheduler', 'EulerAncestralDiscreteScheduler'] as const;
    const plan = planWith({ solver_schedule: ancestral, steps: 3, noise_by_time: true });
    assert.ok(plan.solver.addsNoise);
    assert.notDeepEqual(
      plan.noise.at(1, 0),
      planWith({ solver_schedule: ancestral, steps: 3 }).noise.at(1, 0),
    );
  });

  it('refuses solvers of steps that do not go together, with what would', () => {
    const solver_schedule = ['DDIMScheduler', 'DPMSolverMultistepScheduler'] as const;
    const changes = { solver_schedule, t_index_list: [10, 30] } as const;
    assertRefused('solver_schedule', /must not mix DDIM.* and DPM.* timestep_spacing trailing \(or null\)/, {
      ...changes,
      timestep_spacing: 'linspace',
    });
    assertRefused('solver_schedule', /must be one of LCM.*not PeRFlow/, {
      ...changes,
      solver_schedule: ['DDIMScheduler', 'PeRFlowScheduler'],
    });
  });

  it('has the listed stages, or else those of strength and steps', () => {
    const timesteps = (changes: Partial<StreamParameters>): readonly number[] =>
      createPlan(model, parametersWith(changes)).solver.stages.map(({ timestep }) => timestep);
    const listed = timesteps({ t_index_list: [25, 37], num_inference_steps: 50 });
    assert.equal(listed.length, 2);
    const plain = { t_index_list: null, strength: 0.5, num_inference_steps: 50 };
    assert.deepEqual(timesteps({ ...plain, steps: 2 }), listed);
    assertRefused('steps', /steps is 5, more than num_inference_steps \(4\)/, {
      t_index_list: null,
      steps: 5,
      num_inference_steps: 4,
    });
    timesteps({ t_index_list: null, steps: 4, num_inference_steps: 4 });
    timesteps({ t_index_list: [0], steps: 5, num_inference_steps: 4 });
    assertRefused('t_index_list', /rise/, { t_index_list: [3, 3] });
  });

  it('does not blame a parameter for an error in the server', () => {
    const broken = { ...folder, scheduler: null as unknown as typeof folder.scheduler };
    assert.throws(() => createPlan({ ...model, folder: broken }, parametersWith()), TypeError);
  });

  it('re-noises the stock noise even if frames are not re-noised', () => {
    const { solver, stockSolver } = createPlan(
      model,
      parametersWith({ solver: 'LCMScheduler', t_index_list: [0, 10], do_add_noise: false }),
    );
    assert.deepEqual([solver.addsNoise, stockSolver.addsNoise], [false, true]);
  });
});

describe('the parameters of a stream', () => {
  it('become guidance, admission and prompts', () => {
    const parameters = parametersWith({
      cfg_type: 'self',
      guidance_scale: 1.5,
      delta: 0.7,
      frame_buffer_size: 3,
      latent_feedback: 0.2,
    });
    assert.deepEqual(guidanceOf(parameters), { type: 'self', scale: 1.5, delta: 0.7 });
    assert.deepEqual(admissionOf({ ...parameters, denoise: 'auto' }, 'sequential'), {
      denoise: 'sequential',
      frameBufferSize: 3,
      feedback: 0.2,
      keepsFinished: false,
    });
    assert.equal(admissionOf({ ...parameters, denoise: 'stream' }, 'sequential').denoise, 'stream');
    assert.deepEqual(weightedPrompts({ ...parameters, prompt: 'a' }), [{ text: 'a', weight: 1 }]);
    const several = [
      { text: 'a', weight: 0 },
      { text: 'b', weight: 2 },
    ];
    assert.deepEqual(weightedPrompts({ ...parameters, prompt: several }), several);
    assert.throws(() => weightedPrompts({ ...parameters, prompt: several.slice(0, 1) }), { field: 'prompt' });
  });
});
