import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import { Stream } from '../../src/diffusion/stream.js';
import { latentShape } from '../../src/engine/worker/networks/sizes.js';
import { admissionOf, createPlan, guidanceOf } from '../../src/engine/worker/planning/plan.js';
import type { Image } from '../../src/image/image.js';
import { readModelFolder, type ModelFolder } from '../../src/model/folder.js';
import { greatestDifference } from '../support/compare.js';
import { breakOff, drawOnce, keptCosts, RecordedStream, startEngine, testImage } from '../support/engine.js';
import { createRestorationModel, predictNoise } from '../support/restoration-model.js';
import { assertServedAlike } from '../support/served-together.js';

const kept = await keptCosts();
const frames = 3;

function parametersOf(folder: ModelFolder, changes: Partial<StreamParameters> = {}): StreamParameters {
  return { ...defaultParameters(folder), width: 48, height: 32, ...changes };
}

/** Draws a picture with the formula of the network. */
function drawByFormula(
  folder: ModelFolder,
  parameters: StreamParameters,
  { data, width, height }: Image,
): Uint8Array {
  const plan = createPlan({ folder, latentShape: (size) => latentShape(folder, size) }, parameters);
  const prompt = { encoder_hidden_states: new Float32Array() };
  const steering = { guidance: guidanceOf(parameters), positive: prompt, negative: prompt };
  const stream = new Stream(plan, steering, admissionOf(parameters, 'sequential'));
  const area = width * height;
  stream.admit(
    0,
    Float32Array.from(data, (_, i) => data[3 * (i % area) + Math.floor(i / area)] / 255),
  );
  for (;;) {
    const [lane] = stream.lanes();
    const clean = stream.absorb(lane, lane.rows.map(predictNoise));
    if (clean)
      return Uint8Array.from(data, (_, i) =>
        Math.min(255, Math.max(0, Math.round(255 * clean[(i % 3) * area + Math.floor(i / 3)]))),
      );
  }
}

describe('a mean-reverting model', () => {
  it('restores pictures by its network, which sees the input, with each algorithm', async () => {
    await using copy = await createRestorationModel();
    const folder = await readModelFolder(copy.folder);
    await using run = await startEngine(copy.folder);
    assert.deepEqual(
      run.notes.filter((note) => note.includes('solver')),
      [],
    );
    for (const changes of [
      {},
      { algorithm_type: 'sde-dpmsolver++', steps: 2 },
      { algorithm_type: 'dpmsolver', solver_order: 3, t_index_list: [10, 25, 40] },
    ] as const) {
      const parameters = parametersOf(folder, changes);
      const image = testImage(1, parameters);
      // The engine takes the memory of its frames.
      const drawn = await drawOnce(run.engine, parameters, testImage(1, parameters));
      const wanted = drawByFormula(folder, parameters, image);
      const difference = greatestDifference(drawn, wanted);
      assert.ok(difference <= 1, `${JSON.stringify(changes)}: ${difference}`);
      assert.ok(greatestDifference(drawn, image.data) > 10, 'the network changes the picture');
    }
  });

  it('serves users together, in the stream batch, as it does alone and one after the other', async () => {
    await using copy = await createRestorationModel();
    const folder = await readModelFolder(copy.folder);
    await using run = await startEngine(copy.folder);
    const one = parametersOf(folder, { algorithm_type: 'sde-dpmsolver++', denoise: 'stream' });
    const users = [
      one,
      { ...one, steps: 2, algorithm_type: 'dpmsolver' },
      { ...one, denoise: 'sequential' },
    ] as const;
    await assertServedAlike(run.engine, users, frames);
  });

  it('continues in another engine, with the inputs of the frames under way', async () => {
    await using copy = await createRestorationModel();
    const folder = await readModelFolder(copy.folder);
    const parameters = parametersOf(folder, { denoise: 'stream', width: 256, height: 256 });
    await using first = await startEngine(copy.folder, kept);
    const state = await breakOff(first.engine, parameters, 40);
    await using second = await startEngine(copy.folder);
    const resumed = new RecordedStream();
    await second.engine.openStream(parameters, resumed, { state: structuredClone(state) });
    await resumed.until(() => resumed.answered === state.frames.length);
    assert.ok(resumed.results.size > 1);
    for (const [frame, data] of resumed.results) {
      // Noise is the same for all frames, so each is drawn as it would be alone.
      const alone = await drawOnce(second.engine, parameters, testImage(frame, parameters));
      const difference = greatestDifference(data, alone);
      assert.ok(difference <= 1, `frame ${frame} differs by ${difference}`);
    }
  });

  it('refuses other solvers and guidance by name, and makes no pictures from nothing', async () => {
    await using copy = await createRestorationModel();
    const folder = await readModelFolder(copy.folder);
    assert.deepEqual(folder.modes, ['img2img']);
    await using run = await startEngine(copy.folder);
    const refused = async (
      changes: Partial<StreamParameters>,
      field: string,
      message: RegExp,
    ): Promise<void> =>
      assert.rejects(RecordedStream.open(run.engine, parametersOf(folder, changes)), {
        name: 'ParameterError',
        field,
        message,
      });
    const wanted = 'must be DPMSolverMultistepScheduler for a mean-reverting model, not';
    for (const solver of ['LCMScheduler', 'FlowMatchEulerDiscreteScheduler', 'DPMSolverV3Scheduler'] as const)
      await refused({ solver }, 'solver', new RegExp(`${wanted} ${solver}`));
    for (const cfg_type of ['full', 'self', 'initialize'] as const)
      await refused({ cfg_type }, 'cfg_type', /must be none for the model .*, which restores pictures, not/);
    await refused({ num_inference_steps: 101 }, 'num_inference_steps', /from 1 to 100/);
  });
});
