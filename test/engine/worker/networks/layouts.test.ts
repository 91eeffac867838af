import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { SeededNoise } from '../../../../src/diffusion/noise.js';
import { createSolver } from '../../../../src/diffusion/solvers/create.js';
import { Stream, type Conditioning, type Row } from '../../../../src/diffusion/stream.js';
import { guidanceConditioning } from '../../../../src/engine/worker/networks/guidance-embedding.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { assertClose } from '../../../support/compare.js';
import { floatVaeOf } from '../../../support/float-vae.js';
import { expectedOf, layoutFolder, layouts, type LayoutName } from '../../../support/layouts.js';
import type { SafeTensors } from '../../../support/safetensors.js';

const prompt = 'a red fox, watercolor';
/** Half precision has eleven bits. */
const tolerances: Readonly<Record<LayoutName, number>> = {
  optimum: 1e-5,
  'optimum-onnx': 1e-2,
  lcm: 1e-5,
  sdxl: 1e-5,
};

const runtimes = new Map<LayoutName, ModelRuntime>();
after(async () => {
  for (const runtime of runtimes.values()) await runtime[Symbol.asyncDispose]();
});

async function runtimeOf(name: LayoutName): Promise<ModelRuntime> {
  const known = runtimes.get(name);
  if (known) return known;
  const runtime = await ModelRuntime.load(await readModelFolder(layoutFolder(name)), { threads: 1 });
  runtimes.set(name, runtime);
  return runtime;
}

/** Embeds the prompt, with the guidance scale if the model takes it. */
async function guided(runtime: ModelRuntime, scale: number): Promise<Conditioning> {
  const { unet } = runtime.folder.layout;
  return { ...(await runtime.embed(prompt)), ...guidanceConditioning(unet, scale) };
}

function sizeOf(expected: SafeTensors, picture = 'picture'): { width: number; height: number } {
  const [, , height = 0, width = 0] = expected.shape(picture);
  return { width, height };
}

/** Returns the recorded rows, each with its own timestep. */
function rowsOf(expected: SafeTensors, conditioning: Conditioning, count: number): Row[] {
  const timesteps = expected.floats('timesteps');
  return Array.from({ length: count }, (_, i) => ({
    role: 'positive',
    stage: { timestep: timesteps[i % timesteps.length], a: 1, b: 1, inputScale: 1 },
    input: expected.entry('rows', i % timesteps.length),
    conditioning,
  }));
}

for (const name of layouts) {
  const tolerance = tolerances[name];

  describe(`a model as in ${name}`, () => {
    it('embeds a prompt as diffusers does', async () => {
      const expected = await expectedOf(name);
      const { encoder_hidden_states: embedding, text_embeds: pooled } = await (
        await runtimeOf(name)
      ).embed(prompt);
      assertClose(embedding, expected.floats('embedding'), tolerance, 'embedding');
      assert.equal(pooled !== undefined, expected.has('pooled'));
      if (pooled) assertClose(pooled, expected.floats('pooled'), tolerance, 'pooled');
    });

    it('encodes and decodes pictures as diffusers does', async () => {
      const runtime = await runtimeOf(name);
      const expected = await expectedOf(name);
      const size = sizeOf(expected);
      const vae = await floatVaeOf(runtime.folder);
      const latent = await vae.encode(expected.floats('picture'), size);
      assertClose(latent, expected.floats('latent'), tolerance, 'latent');
      const decoded = await vae.decode(expected.floats('given_latent'), size);
      assertClose(decoded, expected.floats('decoded'), tolerance, 'decoded');
    });

    it('predicts rows at several timesteps, few and many, as diffusers does', async () => {
      const runtime = await runtimeOf(name);
      const expected = await expectedOf(name);
      const shape = runtime.latentShape(sizeOf(expected));
      const conditioning = await guided(runtime, 7.5);
      for (const count of [1, 3, 5, 2]) {
        const rows = rowsOf(expected, conditioning, count);
        const predictions = await runtime.predict(rows, shape);
        assert.equal(predictions.length, count);
        for (const [i, prediction] of predictions.entries()) {
          assertClose(prediction, expected.entry('predicted', i % 3), tolerance, `row ${i} of ${count}`);
        }
      }
    });
  });
}

describe('an export', () => {
  it('has its limits detected: timesteps that cannot mix, fixed sizes and a fixed number of rows', async () => {
    const mixing = await Promise.all(layouts.map(async (name) => (await runtimeOf(name)).mixesTimesteps));
    assert.deepEqual(mixing, [true, false, false, true]);
    const { folder } = await runtimeOf('lcm');
    assert.deepEqual(folder.fixedSize, { width: 64, height: 64 });
    assert.equal(folder.layout.unet.rows, 2);
    assert.equal(folder.selfGuided, true);
  });

  it('of a full LCM uses the guidance scale of each row', async () => {
    const runtime = await runtimeOf('lcm');
    const expected = await expectedOf('lcm');
    const shape = runtime.latentShape(sizeOf(expected));
    const conditionings = [await guided(runtime, 8.5), await guided(runtime, 1)];
    const [strong, weak] = await runtime.predict(
      conditionings.map((conditioning) => rowsOf(expected, conditioning, 1)[0]),
      shape,
    );
    assert.ok(strong.some((value, i) => Math.abs(value - weak[i]) > 1e-3));
  });
});

describe('one full LCM img2img step', () => {
  it('gives the picture that diffusers gives', async () => {
    const runtime = await runtimeOf('lcm');
    const expected = await expectedOf('lcm');
    const size = sizeOf(expected);
    const { folder } = runtime;
    const solver = createSolver(folder.scheduler, {
      solver: 'LCMScheduler',
      num_inference_steps: 4,
      t_index_list: [2],
      timestep_spacing: null,
      solver_order: 2,
      algorithm_type: 'dpmsolver++',
      use_karras_sigmas: false,
      eta: 0,
      gamma: 0.3,
      do_add_noise: true,
    });
    const shape = runtime.latentShape(size);
    const recorded = expected.floats('step.noise');
    const noise = new SeededNoise([{ seed: 1, weight: 1 }], recorded.length, 0);
    const plan = {
      solver,
      stockSolver: solver,
      prediction: folder.predictionType,
      shape,
      noise: { at: () => recorded, start: (ordinal: number) => noise.start(ordinal) },
    };
    const conditioning = await guided(runtime, 7.5);
    const steering = {
      guidance: { type: 'none', scale: 1, delta: 1 },
      positive: conditioning,
      negative: conditioning,
    } as const;
    const stream = new Stream(plan, steering, { denoise: 'sequential', frameBufferSize: 1 });
    const vae = await floatVaeOf(folder);
    stream.admit(0, await vae.encode(expected.floats('picture'), size));
    const [lane] = stream.lanes();
    assert.equal(lane.rows[0].stage.timestep, expected.floats('step.timestep')[0]);
    assertClose(lane.rows[0].input, expected.floats('step.noised'), 1e-5, 'noised');
    const denoised = stream.absorb(lane, await runtime.predict(lane.rows, shape));
    assert.ok(denoised);
    assertClose(denoised, expected.floats('step.denoised'), 1e-4, 'denoised');
    const picture = await vae.decode(denoised, size);
    assertClose(picture, expected.floats('step.picture'), 1e-4, 'picture');
  });
});
