import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { checkSolvers } from '../../src/engine/worker/planning/check-solvers.js';
import { readModelFolder } from '../../src/model/folder.js';
import { ModelCopy } from '../model/model-copy.js';
import { greatestDifference } from '../support/compare.js';
import {
  breakOff,
  drawOnce,
  keptCosts,
  RecordedStream,
  startEngine,
  testImage,
  tinyModel,
  tinyParameters,
} from '../support/engine.js';
import { assertServedAlike } from '../support/served-together.js';

const kept = await keptCosts();
const schedule = [
  'DDIMScheduler',
  'GHVBScheduler',
  'DPMSolverMultistepScheduler',
  'UniPCMultistepScheduler',
] as const;
const mixed = (changes: Partial<StreamParameters> = {}): StreamParameters =>
  tinyParameters({
    solver_schedule: schedule,
    t_index_list: [12, 20, 30, 40],
    momentum_beta: 0.8,
    ...changes,
  });

describe('a solver for each step', () => {
  it('is used by the engine: the result is that of none of its solvers', async () => {
    await using run = await startEngine(tinyModel);
    const drawn = await drawOnce(run.engine, mixed());
    for (const solver of schedule) {
      const plain = await drawOnce(run.engine, mixed({ solver, solver_schedule: null }));
      assert.ok(greatestDifference(drawn, plain) > 2, solver);
    }
  });

  it('serves users together, in the stream batch and with guidance, as it does alone and in sequence', async () => {
    await using run = await startEngine(tinyModel);
    for (const cfg_type of ['none', 'full', 'self'] as const) {
      const one = mixed({ cfg_type, denoise: 'stream' });
      const users = [
        one,
        tinyParameters({ solver: 'UniPCMultistepScheduler', denoise: 'stream' }),
        { ...one, denoise: 'sequential' },
      ] as const;
      await assertServedAlike(run.engine, users, 3);
    }
  });

  it('is what a model starts with if its millrace.json says so, or it is refused with the reason', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    const { solver_schedule, t_index_list, momentum_beta } = mixed();
    const defaults = { solver_schedule, t_index_list, momentum_beta };
    await copy.write('millrace.json', JSON.stringify({ defaults }));
    const folder = await readModelFolder(copy.folder);
    await using run = await startEngine(copy.folder);
    const size = { width: 64, height: 48, prompt: 'a fox' };
    const own = await drawOnce(run.engine, { ...defaultParameters(folder), ...size });
    assert.deepEqual(own, await drawOnce(run.engine, { ...defaultParameters(), ...size, ...defaults }));

    const wrong = { ...defaults, solver_schedule: ['DDIMScheduler', 'HeunDiscreteScheduler'] };
    await copy.write('millrace.json', JSON.stringify({ defaults: wrong }));
    const broken = await readModelFolder(copy.folder);
    assert.throws(() => checkSolvers(broken), {
      name: 'ModelError',
      message:
        /\(DDIMScheduler, HeunDiscreteScheduler\): solver_schedule must not mix Heun.*; set solver_schedule under "defaults"/,
    });
    await copy.write('millrace.json', '{"defaults": {"solver_schedule": ["DDIM"]}}');
    await assert.rejects(readModelFolder(copy.folder), /solver_schedule/);
  });

  it('continues in another engine, with what its steps remember', async () => {
    const parameters = mixed({ denoise: 'stream', width: 256, height: 256 });
    await using first = await startEngine(tinyModel, kept);
    const state = await breakOff(first.engine, parameters, 40);
    await using second = await startEngine(tinyModel);
    const resumed = new RecordedStream();
    await second.engine.openStream(parameters, resumed, { state: structuredClone(state) });
    await resumed.until(() => resumed.answered === state.frames.length);
    assert.ok(resumed.results.size > 1);
    for (const [frame, data] of resumed.results) {
      const alone = await drawOnce(second.engine, parameters, testImage(frame, parameters));
      const difference = greatestDifference(data, alone);
      assert.ok(difference <= 1, `frame ${frame} differs by ${difference}`);
    }
  });
});
