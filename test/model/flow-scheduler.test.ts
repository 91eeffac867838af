import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readModelFolder, type ModelFolder } from '../../src/model/folder.js';
import { tinyModel } from '../support/engine.js';
import { ModelCopy } from './model-copy.js';

const file = 'scheduler/scheduler_config.json';
const noBetas = { beta_start: undefined, beta_end: undefined, beta_schedule: undefined };

/** Reads a model with these fields in its scheduler file. */
async function read(
  fields: Readonly<Record<string, unknown>>,
  pipeline = 'StableDiffusionPipeline',
): Promise<ModelFolder> {
  await using copy = await ModelCopy.create(tinyModel);
  await copy.edit('model_index.json', { _class_name: pipeline });
  await copy.edit(file, { prediction_type: undefined, ...fields });
  return await readModelFolder(copy.folder);
}

describe('the scheduler of a flow', () => {
  it('is read without betas, with its shift', async () => {
    for (const _class_name of ['FlowMatchEulerDiscreteScheduler', 'FlowMatchHeunDiscreteScheduler']) {
      const model = await read({ ...noBetas, _class_name, shift: 3 });
      assert.equal(model.predictionType, 'flow');
      assert.deepEqual([model.scheduler['shift'], model.scheduler['prediction_type']], [3, 'flow']);
      assert.equal(model.defaults.solver, _class_name);
      assert.equal(model.defaults.eta, undefined);
    }
  });

  it('can depend on the size of the picture, or sample stochastically', async () => {
    const model = await read({
      _class_name: 'FlowMatchEulerDiscreteScheduler',
      use_dynamic_shifting: true,
      stochastic_sampling: true,
    });
    assert.equal(model.defaults.eta, 1);
  });

  it('may name what the model predicts, also as diffusers does', async () => {
    for (const [prediction_type, predicted] of [
      ['flow', 'flow'],
      ['flow_prediction', 'flow'],
      ['reverse_flow', 'reverse_flow'],
    ] as const) {
      // A file left over from the training of noise says nothing of the spacing of a flow.
      const model = await read({ prediction_type, timestep_spacing: 'leading' });
      assert.equal(model.predictionType, predicted);
      assert.equal(model.scheduler['timestep_spacing'], 'trailing');
      assert.equal(model.defaults.solver, 'FlowMatchEulerDiscreteScheduler');
    }
    const own = await read({ _class_name: 'FlowMatchEulerDiscreteScheduler', timestep_spacing: 'linspace' });
    assert.equal(own.scheduler['timestep_spacing'], 'linspace');
  });

  it('is that of InstaFlow if the pipeline is, whatever its file says', async () => {
    for (const prediction_type of [undefined, 'epsilon'] as const) {
      const model = await read({ prediction_type }, 'RectifiedFlowPipeline');
      assert.equal(model.predictionType, 'reverse_flow');
    }
    assert.equal((await read({ prediction_type: 'flow' }, 'RectifiedFlowPipeline')).predictionType, 'flow');
    assert.equal((await read({})).predictionType, 'epsilon');
  });

  it('is that of PeRFlow, with a step for each window', async () => {
    const model = await read({ ...noBetas, _class_name: 'PeRFlowScheduler' });
    assert.equal(model.predictionType, 'ddim_eps');
    assert.equal(model.scheduler['beta_end'], 0.012);
    const { solver, num_inference_steps, steps } = model.defaults;
    assert.deepEqual([solver, num_inference_steps, steps], ['PeRFlowScheduler', 4, 2]);
    const one = await read({ prediction_type: 'velocity', num_time_windows: 1 });
    assert.deepEqual([one.defaults.num_inference_steps, one.defaults.steps], [1, 1]);
  });

  it('is refused if it contradicts itself', async () => {
    const refuses = async (_class_name: string, prediction_type: string, fitting: RegExp): Promise<void> =>
      assert.rejects(read({ _class_name, prediction_type }), {
        name: 'ModelError',
        message: new RegExp(
          `prediction_type is "${prediction_type}", but models with ${_class_name} ${fitting.source}`,
        ),
      });
    await refuses(
      'FlowMatchEulerDiscreteScheduler',
      'epsilon',
      /predict flow or reverse_flow; correct the file/,
    );
    await refuses('FlowMatchHeunDiscreteScheduler', 'ddim_eps', /predict flow or reverse_flow/);
    await refuses('PeRFlowScheduler', 'epsilon', /predict ddim_eps or diff_eps or velocity/);
    await assert.rejects(
      read({ _class_name: 'FlowMatchEulerDiscreteScheduler', shift: 0 }),
      /field shift must be > 0/,
    );
    await assert.rejects(read({ use_dynamic_shifting: true }), /use_dynamic_shifting is true/);
  });
});
