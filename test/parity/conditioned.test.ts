import assert from 'node:assert/strict';
import { test } from 'node:test';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../src/model/folder.js';
import { readReferenceJson, referenceCases, referenceModel } from '../support/reference.js';
import { readSafeTensors } from '../support/safetensors.js';
import { slice, type CaseParameters, type RecordedCase } from './recorded-case.js';
import { Replay } from './replay.js';

/** The JSON file of a stream that is steered by pictures or by its own results. */
interface ConditionedInfo {
  readonly parameters: Pick<
    CaseParameters,
    | 'cfg_type'
    | 't_index_list'
    | 'guidance_scale'
    | 'delta'
    | 'width'
    | 'height'
    | 'frames'
    | 'latent_feedback'
    | 'changes'
    | 'vae_scaling_factor'
    | 'timestep_scaling'
  > & {
    readonly prompt: string;
    readonly negative_prompt: string;
    readonly controlnets: readonly unknown[];
    readonly t2i_adapter: unknown;
    readonly ip_adapter: unknown;
    readonly attention_bank: unknown;
  };
  readonly tolerances: RecordedCase['tolerances'];
}

/** Returns what this build does not support of a case. */
function unsupported({ parameters }: ConditionedInfo): readonly string[] {
  const { controlnets, t2i_adapter, ip_adapter, attention_bank } = parameters;
  return Object.entries({ t2i_adapter, ip_adapter, attention_bank })
    .filter(([, value]) => value !== null)
    .map(([name]) => name)
    .concat(controlnets.length > 0 ? ['controlnets'] : []);
}

let compared = 0;
for (const { name, json, tensors } of referenceCases('conditioned')) {
  const info = (await readReferenceJson(json)) as ConditionedInfo;
  if (!('parameters' in info)) continue;
  const missing = unsupported(info);
  const skip = missing.length > 0 && `not supported yet: ${missing.join(', ')}`;
  if (missing.length === 0) compared += 1;
  test(name, { skip }, async () => {
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
      tensors: await readSafeTensors(tensors),
    };
    const folder = await readModelFolder(referenceModel());
    const scaled = { ...folder, scalingFactor: given.vae_scaling_factor };
    await using runtime = await ModelRuntime.load(scaled, { threads: 1 });
    const conditionings = recorded.embedRows.map((_, i) => ({
      encoder_hidden_states: slice(recorded.tensors, 'embeds', i),
    }));
    const run = new Replay(recorded, runtime, conditionings);
    for (let k = 0; k < given.frames; k++) await run.frame(k);
    const { tol } = tolerances.free_running;
    for (const [tensor, error] of run.errors) {
      assert.ok(error <= tol, `${tensor}: error ${error.toExponential(1)} is above ${tol}`);
    }
    for (const tensor of ['latent', 'x_t', 'unet_sample', 'unet_out', 'x0', 'image_out']) {
      assert.ok(run.errors.has(tensor), `${tensor} was compared`);
    }
  });
}

test('there are recorded streams to compare with', () => assert.ok(compared > 0));
