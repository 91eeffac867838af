import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { checkSolvers } from '../../../../src/engine/worker/planning/check-solvers.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { ModelCopy } from '../../../model/model-copy.js';
import { tinyModel } from '../../../support/engine.js';

const scheduler = 'scheduler/scheduler_config.json';
/** Scheduler settings that sessions must be able to use with every solver. */
const usable: readonly Readonly<Record<string, unknown>>[] = [
  { _class_name: 'DDPMScheduler', clip_sample: true },
  { _class_name: 'DDIMScheduler', thresholding: true, sample_max_value: 2 },
  { use_beta_sigmas: true },
  { use_exponential_sigmas: true },
  { use_lu_lambdas: true },
  { interpolation_type: 'log_linear' },
  { beta_schedule: 'squaredcos_cap_v2' },
  { beta_schedule: 'sigmoid' },
  { beta_schedule: 'laplace' },
  { rescale_betas_zero_snr: true, timestep_spacing: 'trailing', prediction_type: 'v_prediction' },
  { final_sigmas_type: 'sigma_min', timestep_spacing: 'linspace', prediction_type: 'sample' },
  {
    _class_name: 'FlowMatchEulerDiscreteScheduler',
    prediction_type: 'flow',
    shift: 3,
    stochastic_sampling: true,
  },
  { _class_name: 'FlowMatchEulerDiscreteScheduler', prediction_type: 'flow', use_dynamic_shifting: true },
  { _class_name: 'FlowMatchHeunDiscreteScheduler', prediction_type: 'flow' },
  { prediction_type: 'reverse_flow' },
  { _class_name: 'PeRFlowScheduler', prediction_type: 'velocity', num_time_windows: 8 },
];

describe('checkSolvers', () => {
  for (const settings of usable) {
    it(`reports nothing for ${JSON.stringify(settings)}`, async () => {
      await using copy = await ModelCopy.create(tinyModel);
      await copy.edit('model_index.json', { _class_name: 'StableDiffusionXLPipeline' });
      await copy.edit(scheduler, settings);
      assert.deepEqual(checkSolvers(await readModelFolder(copy.folder)), []);
    });
  }

  it('names solvers that cannot be used, and fails if the default one is among them', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await copy.edit(scheduler, { original_inference_steps: 2000 });
    await copy.write('millrace.json', '{"defaults": {"solver": "EulerDiscreteScheduler"}}');
    const notes = checkSolvers(await readModelFolder(copy.folder));
    assert.deepEqual(
      notes.map((note) => /solver (\S+) with this model: needs original_inference_steps/.exec(note)?.[1]),
      ['LCMScheduler', 'TCDScheduler'],
    );
    await copy.write('millrace.json', '{}');
    const folder = await readModelFolder(copy.folder);
    assert.throws(() => checkSolvers(folder), ModelError);
    assert.throws(
      () => checkSolvers(folder),
      /\(LCMScheduler\): .*; set \{"defaults": \{"solver": "\w+"\}\} in that file$/,
    );
  });

  it('fails if the defaults of the model fit no schedule, naming the field', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await copy.write('millrace.json', '{"defaults": {"num_inference_steps": 100}}');
    const folder = await readModelFolder(copy.folder);
    assert.throws(() => checkSolvers(folder), /no session can be opened .*num_inference_steps/);
    assert.throws(
      () => checkSolvers(folder),
      /: num_inference_steps must .*; set num_inference_steps under "defaults" in that file$/,
    );
  });

  it('says in full what is wrong and what to do', async () => {
    const folder = { ...(await readModelFolder(tinyModel)), root: 'models', name: 'own' };
    const begin = `${join('models', 'millrace.json')}: no session can be opened with the default parameters of own (`;
    const distilled = { ...folder.scheduler, original_inference_steps: 2000 };
    const needs =
      "needs original_inference_steps from 1 to 1000 in the model's scheduler configuration, not 2000";
    assert.throws(() => checkSolvers({ ...folder, scheduler: distilled }), {
      name: 'ModelError',
      message: `${begin}LCMScheduler): solver ${needs}; set {"defaults": {"solver": "DDIMScheduler"}} in that file`,
    });
    const defaults = { solver: 'DDIMScheduler' } as const;
    assert.deepEqual(
      checkSolvers({ ...folder, scheduler: distilled, defaults }),
      ['LCMScheduler', 'TCDScheduler'].map(
        (name) => `sessions cannot use the solver ${name} with this model: ${needs}`,
      ),
    );
    const short = { ...defaults, steps: 9, num_inference_steps: 4, t_index_list: null };
    assert.throws(() => checkSolvers({ ...folder, defaults: short }), {
      message:
        `${begin}DDIMScheduler): steps is 9, more than num_inference_steps (4); ` +
        'set steps under "defaults" in that file',
    });
    const flows = {
      ...folder,
      predictionType: 'flow',
      scheduler: { ...folder.scheduler, prediction_type: 'flow' },
    } as const;
    assert.throws(() => checkSolvers(flows), {
      message:
        `${begin}LCMScheduler): solver must be one of FlowMatchEulerDiscreteScheduler, FlowMatchHeunDiscreteScheduler ` +
        'with a model that predicts flow, not LCMScheduler; ' +
        'set {"defaults": {"solver": "FlowMatchEulerDiscreteScheduler"}} in that file',
    });
    const flow = { ...folder.scheduler, use_flow_sigmas: true };
    assert.throws(() => checkSolvers({ ...folder, scheduler: flow }), {
      message:
        `${begin}LCMScheduler): solver does not support use_flow_sigmas of the model's scheduler configuration; ` +
        'set solver under "defaults" in that file',
    });
  });

  it('does not blame the model for an error in the server', async () => {
    const folder = await readModelFolder(tinyModel);
    const broken = { ...folder, sizeFactor: 8n as unknown as number };
    assert.throws(() => checkSolvers(broken), TypeError);
  });
});
