import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readReferenceJson, referenceCases } from '../support/reference.js';
import { readSafeTensors } from '../support/safetensors.js';
import { steeredModel, steeredModels } from '../support/steered-model.js';
import { slice, type RecordedCase } from './recorded-case.js';
import { Replay } from './replay.js';
import { replaySteering, steeredFolder, type ConditionedInfo } from './steered-case.js';

const models = await Promise.all(steeredModels.map(steeredModel));
const runtimes = new Map<string, ModelRuntime>();
after(async () => {
  for (const runtime of runtimes.values()) await runtime[Symbol.asyncDispose]();
});

/** Returns the networks of a case: they differ in the layers of the bank, and in the scaling factor. */
async function runtimeFor(info: ConditionedInfo): Promise<ModelRuntime> {
  const folder = await steeredFolder(info, models);
  const { vae_scaling_factor: scalingFactor } = info.parameters;
  const name = `${folder.root} ${scalingFactor}`;
  const known = runtimes.get(name);
  if (known) return known;
  const runtime = await ModelRuntime.load({ ...folder, scalingFactor }, { threads: 1 });
  runtimes.set(name, runtime);
  return runtime;
}

const compared: string[] = [];
for (const { name, json, tensors: path } of referenceCases('conditioned')) {
  const info = (await readReferenceJson(json)) as ConditionedInfo;
  if (!('parameters' in info)) continue;
  test(name, async () => {
    const { parameters: given, tolerances } = info;
    const recorded: RecordedCase = {
      name,
      parameters: {
        ...given,
        mode: 'img2img',
        num_inference_steps: 50,
        frame_buffer_size: 1,
        do_add_noise: true,
        use_denoising_batch: true,
        prompt_changes: [],
      },
      embedRows: [{ text: given.prompt }, { text: given.negative_prompt }],
      tolerances,
      tensors: await readSafeTensors(path),
    };
    const runtime = await runtimeFor(info);
    const conditionings = recorded.embedRows.map((_, i) => ({
      encoder_hidden_states: slice(recorded.tensors, 'embeds', i),
    }));
    const steering = await replaySteering(info, recorded, runtime);
    const run = new Replay(recorded, runtime, conditionings, steering);
    for (let k = 0; k < given.frames; k++) await run.frame(k);
    const { tol } = tolerances.free_running;
    for (const [tensor, error] of run.errors) {
      assert.ok(error <= tol, `${tensor}: error ${error.toExponential(1)} is above ${tol}`);
    }
    for (const tensor of ['latent', 'x_t', 'unet_sample', 'unet_out', 'x0', 'image_out']) {
      assert.ok(run.errors.has(tensor), `${tensor} was compared`);
    }
    compared.push(name);
  });
}

test('there are recorded streams to compare with', () => assert.ok(compared.length > 0));
