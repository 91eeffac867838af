import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inspectModel } from '../../src/cli/doctor/inspect.js';
import { readModelFolder } from '../../src/model/folder.js';
import { unetInput } from '../../src/model/layout/unet.js';
import { createRestorationModel } from '../support/restoration-model.js';

describe('the folder of a mean-reverting model', () => {
  it('says how its diffusion goes, and starts with the solver for it', async () => {
    await using copy = await createRestorationModel({ eps: undefined });
    const model = await readModelFolder(copy.folder);
    assert.equal(inspectModel(model).kind, 'mean-reverting restoration, predicts epsilon');
    const { scheduler, defaults, layout, ...folder } = model;
    // The default of the original.
    assert.deepEqual(scheduler['mean_reverting'], { max_sigma: 50, T: 100, eps: 0.01 });
    const { solver, strength, steps, cfg_type } = defaults;
    assert.deepEqual([solver, strength, steps, cfg_type], ['DPMSolverMultistepScheduler', 1, 4, 'none']);
    assert.deepEqual([folder.pixelFactor, folder.sizeFactor, folder.latentChannels], [1, 2, 3]);
    assert.ok(unetInput(layout.unet, 'mean'));
  });

  it('has as many steps as were trained, at most', async () => {
    await using copy = await createRestorationModel({ T: 3 });
    const { defaults } = await readModelFolder(copy.folder);
    assert.deepEqual([defaults.num_inference_steps, defaults.steps], [3, 3]);
  });

  it('is refused if its diffusion is another one', async () => {
    const refused = async (scheduler: object, message: RegExp): Promise<void> => {
      await using copy = await createRestorationModel({ ...scheduler });
      await assert.rejects(readModelFolder(copy.folder), { name: 'ModelError', message });
    };
    await refused({ schedule: 'linear' }, /schedule is "linear", but of IRSDE only models with "cosine"/);
    await refused({ prediction_type: 'sample' }, /only models with "epsilon" can be run/);
    await refused({ max_sigma: undefined }, /must have required property 'max_sigma'/);
    await refused({ max_sigma: 0 }, /field max_sigma must be > 0/);
    await refused({ eps: 1 }, /field eps must be < 1/);
    await refused({ T: 1 }, /field T must be >= 2/);
    await refused({ _class_name: 'DDIMScheduler' }, /needs an input "mean", which is not known here/);
  });
});
