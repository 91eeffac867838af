import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { boundaryScaling } from '../../src/diffusion/solvers/lcm.js';
import type { Conditioning } from '../../src/diffusion/stream.js';
import { ModelRuntime } from '../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../src/model/folder.js';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { referenceCases, referenceModel } from '../support/reference.js';
import {
  originalDefect,
  planOf,
  readCase,
  readInfo,
  slice,
  unsupported,
  type RecordedCase,
} from './recorded-case.js';
import { relativeError, Replay } from './replay.js';

const folder = await readModelFolder(referenceModel());
const tokenizer = await loadTokenizer(folder.tokenizers[0].folder, folder.textLength);
const runtimes = new Map<number, ModelRuntime>();
after(async () => {
  for (const runtime of runtimes.values()) await runtime[Symbol.asyncDispose]();
});

/** Returns the runtime of a case: cases differ in the scaling factor of the model. */
async function runtimeFor({ parameters }: RecordedCase): Promise<ModelRuntime> {
  const scalingFactor = parameters.vae_scaling_factor;
  const known = runtimes.get(scalingFactor);
  if (known) return known;
  const runtime = await ModelRuntime.load({ ...folder, scalingFactor }, { threads: 1 });
  runtimes.set(scalingFactor, runtime);
  return runtime;
}

/** Embeds as the original, which knows no weights and cuts long prompts: brackets are escaped, one chunk is used. */
async function embed(runtime: ModelRuntime, text: string): Promise<Float32Array> {
  const { encoder_hidden_states: embedding } = await runtime.embed(
    text.replaceAll(/[()[\]\\]/g, String.raw`\$&`),
  );
  return embedding.subarray(0, folder.textLength * folder.textWidth);
}

/** Returns the tokens of the text of this row of `embeds`. */
function inputIds({ tensors }: RecordedCase, row: number): number[] {
  const [, length] = tensors.shape('input_ids');
  return tensors.numbers('input_ids').slice(row * length, (row + 1) * length);
}

/** Compares each tensor over all frames; `one_step` puts the recorded state before each frame. */
async function replay(recorded: RecordedCase, mode: 'one_step' | 'free_running'): Promise<void> {
  const runtime = await runtimeFor(recorded);
  const { tensors, embedRows, parameters, tolerances } = recorded;
  const conditionings: Conditioning[] = [];
  for (const [i, { text }] of embedRows.entries()) {
    const embedding = mode === 'one_step' ? slice(tensors, 'embeds', i) : await embed(runtime, text);
    conditionings.push({ encoder_hidden_states: embedding });
  }
  // Recordings name prompts with the same tokens after the first of them.
  const ids = embedRows.map((_, i) => inputIds(recorded, i).join());
  const run = new Replay(
    recorded,
    runtime,
    conditionings.map((conditioning, i) => conditionings[ids.indexOf(ids[i])] ?? conditioning),
  );
  for (let k = 0; k < parameters.frames; k++) {
    if (mode === 'one_step' && k > 0) run.restoreBefore(k);
    await run.frame(k);
  }
  const { tol } = tolerances[mode];
  for (const [name, error] of run.errors) {
    assert.ok(error <= tol, `${name}: error ${error.toExponential(1)} is above ${tol}`);
  }
  for (const name of ['unet_sample', 'unet_out', 'x0', 'image_out']) {
    assert.ok(run.errors.has(name), `${name} was compared`);
  }
}

let found = 0;
for (const reference of referenceCases('goldens')) {
  const info = await readInfo(reference);
  if (info === null) continue;
  found += 1;
  const missing = unsupported(info);
  const defect = originalDefect(info);
  if (missing !== null || defect !== null) {
    const skip = missing === null ? `wrong in the original: ${defect}` : `not supported yet: ${missing}`;
    test(reference.name, { skip }, () => {});
    continue;
  }
  test(reference.name, async (t) => {
    const recorded = await readCase(reference, info);
    const { tensors, tolerances, embedRows } = recorded;
    await t.test('schedule', async () => {
      const { stages } = planOf(recorded, await runtimeFor(recorded)).solver;
      const { tol } = tolerances.schedule;
      assert.deepEqual(
        stages.map(({ timestep }) => timestep),
        tensors.numbers('sub_timesteps'),
      );
      assert.ok(
        relativeError(
          stages.map(({ a }) => a),
          tensors.numbers('alpha_prod_t_sqrt'),
        ) <= tol,
      );
      assert.ok(
        relativeError(
          stages.map(({ b }) => b),
          tensors.numbers('beta_prod_t_sqrt'),
        ) <= tol,
      );
      const scalings = stages.map(({ timestep }) => {
        return boundaryScaling(timestep * recorded.parameters.timestep_scaling);
      });
      const cSkip = scalings.map((scaling) => scaling.cSkip);
      const cOut = scalings.map((scaling) => scaling.cOut);
      assert.ok(relativeError(cSkip, tensors.numbers('c_skip')) <= tol);
      assert.ok(relativeError(cOut, tensors.numbers('c_out')) <= tol);
    });
    await t.test('prompts', async () => {
      const runtime = await runtimeFor(recorded);
      for (const [i, { text }] of embedRows.entries()) {
        assert.deepEqual(Array.from(tokenizer.encode(text), Number), inputIds(recorded, i));
        assert.ok(relativeError(await embed(runtime, text), slice(tensors, 'embeds', i)) <= 1e-4);
      }
    });
    await t.test('each frame from the recorded state', () => replay(recorded, 'one_step'));
    await t.test('the whole stream, running freely', () => replay(recorded, 'free_running'));
  });
}

test('there are recorded streams to compare with', () => assert.ok(found > 0));
