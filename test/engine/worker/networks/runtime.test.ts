import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { NotFiniteError } from '../../../../src/engine/worker/networks/finite.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { withBorders } from '../../../../src/model/onnx/borders.js';
import { ModelCopy } from '../../../model/model-copy.js';
import { testImage, tinyModel } from '../../../support/engine.js';
import { floatVaeOf } from '../../../support/float-vae.js';
import { layoutFolder } from '../../../support/layouts.js';
import { always, spoil } from '../../../support/onnx-spoil.js';

const folder = await readModelFolder(tinyModel);
const progress: string[] = [];
const runtime = await ModelRuntime.load(folder, { threads: 1 }, (what) => progress.push(what));
after(() => runtime[Symbol.asyncDispose]());
const odd = { width: 72, height: 40 };
const long = 'cat '.repeat(400);

/** Loads a model with one output that is never finite. */
async function spoiled(model: string, part: string, output: string): Promise<ModelRuntime> {
  const copy = await ModelCopy.create(model);
  after(() => copy[Symbol.asyncDispose]());
  await spoil(join(copy.folder, part, 'model.onnx'), always(output, NaN));
  const own = await ModelRuntime.load(await readModelFolder(copy.folder), { threads: 1 });
  after(() => own[Symbol.asyncDispose]());
  return own;
}

function rejectsOf(part: string): (error: unknown) => boolean {
  return (error) => error instanceof NotFiniteError && error.part === part;
}

describe('the networks of a model', () => {
  it('are loaded one after another, with progress reports', () => {
    assert.deepEqual(progress, [
      'loading the text encoder',
      'loading the VAE encoder',
      'loading the U-Net',
      'loading the VAE decoder',
    ]);
  });

  it('are named if they cannot be loaded', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    const own = await readModelFolder(copy.folder);
    await copy.write('unet/model.onnx', 'no graph');
    await assert.rejects(ModelRuntime.load(own, { threads: 1 }), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /unet.model\.onnx: cannot be loaded: /);
      return true;
    });
  });

  it('take prompts of up to four chunks, or of one if only one fits', async () => {
    const chunk = folder.textLength * folder.textWidth;
    assert.equal((await runtime.embed('cat')).encoder_hidden_states.length, chunk);
    const { encoder_hidden_states: embedding, ...rest } = await runtime.embed(long);
    assert.equal(embedding.length, 4 * chunk);
    assert.deepEqual(rest, {});
    const fixed = await readModelFolder(layoutFolder('lcm'));
    await using other = await ModelRuntime.load(fixed, { threads: 1 });
    assert.equal((await other.embed(long)).encoder_hidden_states.length, fixed.textLength * fixed.textWidth);
  });

  it('convert pictures to latents and back, at a size that they do not take themselves', async () => {
    const { data } = testImage(3, odd);
    const latent = (await runtime.encodeOne(data, odd)).slice();
    const shape = runtime.latentShape(odd);
    assert.equal(latent.length, shape[0] * shape[1] * shape[2]);
    assert.ok(latent.some((value) => value !== latent[0]));
    const out = new Uint8ClampedArray(data.length);
    await runtime.decodeOne(latent, odd, out);
    const filled = { width: shape[2] * folder.pixelFactor, height: shape[1] * folder.pixelFactor };
    const planes = await (await floatVaeOf(folder)).decode(latent, filled);
    assert.equal(planes.length, 3 * filled.width * filled.height);
    for (const [x, y] of [
      [0, 0],
      [71, 0],
      [30, 39],
    ] as const) {
      const value = planes[y * filled.width + x] ?? NaN;
      assert.equal(out[3 * (y * odd.width + x)], Math.round(Math.min(255, Math.max(0, (value + 1) * 127.5))));
    }
  });

  it('convert several pictures in one call as each alone, and say which one is not finite', async () => {
    const [, height, width] = runtime.latentShape(odd);
    const even = { width: width * folder.pixelFactor, height: height * folder.pixelFactor };
    assert.notDeepEqual(even, odd);
    const pictures = [odd, even, odd].map((size, seed) => testImage(seed, size));
    const alone: Float32Array[] = [];
    for (const { data, ...size } of pictures) alone.push((await runtime.encodeOne(data, size)).slice());
    const together = (await runtime.encode(pictures)).map((latent) => latent?.slice());
    for (const [i, latent] of together.entries()) {
      assert.ok(latent?.every((value, at) => Math.abs(value - (alone[i]?.[at] ?? NaN)) < 1e-4));
    }
    const outs = pictures.map(({ width, height, data }) => {
      return { width, height, data: new Uint8Array(data.length) };
    });
    alone[2]?.fill(NaN);
    assert.deepEqual(await runtime.decode(alone, outs), [true, true, false]);
    for (const [i, { data, ...size }] of outs.slice(0, 2).entries()) {
      const out = new Uint8ClampedArray(data.length);
      await runtime.decodeOne(alone[i], size, out);
      assert.ok(data.every((byte, at) => Math.abs(byte - out[at]) <= 1));
    }
  });

  it('work the same if the graphs of the VAE take and give bytes', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    for (const part of ['vae_encoder', 'vae_decoder']) {
      const file = join(copy.folder, part, 'model.onnx');
      const bordered = withBorders(file, new Map([['sample', { black: -1, white: 1 }]]));
      await copy.remove(`${part}/model.onnx`);
      await writeFile(file, bordered?.bytes ?? '');
    }
    const own = await readModelFolder(copy.folder);
    const { vaeEncoder, vaeDecoder } = own.layout;
    assert.deepEqual([vaeEncoder.pictures, vaeDecoder.pictures], ['bytes', 'bytes']);
    await using inBytes = await ModelRuntime.load(own, { threads: 1 });
    const { data } = testImage(3, odd);
    const drawn: [Float32Array, Uint8ClampedArray][] = [];
    for (const networks of [runtime, inBytes]) {
      const latent = (await networks.encodeOne(data, odd)).slice();
      const out = new Uint8ClampedArray(data.length);
      await networks.decodeOne(latent, odd, out);
      drawn.push([latent, out]);
    }
    assert.deepEqual(drawn[0], drawn[1]);
    await assert.rejects(
      inBytes.decodeOne(drawn[0][0].fill(NaN), odd, new Uint8ClampedArray(data.length)),
      rejectsOf('vae_decoder'),
    );
  });

  it('are released once, and then do nothing', async () => {
    const own = await ModelRuntime.load(folder, { threads: 1 });
    await own[Symbol.asyncDispose]();
    await own[Symbol.asyncDispose]();
    await assert.rejects(own.embed('cat'));
    await assert.rejects(own.encodeOne(testImage(0, odd).data, odd));
    const latent = new Float32Array(runtime.latentShape(odd).reduce((product, side) => product * side));
    await assert.rejects(own.decodeOne(latent, odd, new Uint8ClampedArray(3 * 72 * 40)));
  });
});

describe('a network whose values are not finite', () => {
  it('is named if it is a text encoder, for its tokens or its pooled embedding', async () => {
    const tokens = await spoiled(tinyModel, 'text_encoder', 'last_hidden_state');
    await assert.rejects(tokens.embed('cat'), rejectsOf('text_encoder'));
    const whole = await spoiled(layoutFolder('sdxl'), 'text_encoder_2', 'text_embeds');
    await assert.rejects(whole.embed('cat'), rejectsOf('text_encoder'));
  });

  it('is named if it is one half of the VAE', async () => {
    const encoder = await spoiled(tinyModel, 'vae_encoder', 'latent_sample');
    await assert.rejects(encoder.encodeOne(testImage(0, odd).data, odd), rejectsOf('vae_encoder'));
    const decoder = await spoiled(tinyModel, 'vae_decoder', 'sample');
    const latent = new Float32Array(runtime.latentShape(odd).reduce((product, side) => product * side));
    const out = new Uint8ClampedArray(3 * odd.width * odd.height);
    await assert.rejects(decoder.decodeOne(latent, odd, out), rejectsOf('vae_decoder'));
  });
});

it('embeddings of the two SDXL text encoders are joined, with the pooled embedding of the second', async () => {
  const own = await readModelFolder(layoutFolder('sdxl'));
  await using both = await ModelRuntime.load(own, { threads: 1 });
  const { encoder_hidden_states: embedding, text_embeds: pooled } = await both.embed('cat');
  assert.equal(embedding.length, own.textLength * own.textWidth);
  const other = await both.embed('dog');
  const width = own.layout.textEncoders[0]?.width ?? 0;
  const last = embedding.length - own.textWidth;
  for (const at of [last, last + width - 1, last + width, embedding.length - 1]) {
    assert.notEqual(embedding[at], other.encoder_hidden_states[at], `${at}`);
  }
  assert.notDeepEqual(pooled, other.text_embeds);
  assert.deepEqual(await both.embed('cat'), { encoder_hidden_states: embedding, text_embeds: pooled });
});
