import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Autoencoder } from '../../../../src/engine/worker/networks/autoencoder.js';
import { vaeConversions } from '../../../../src/engine/worker/networks/vae-conversions.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { readModelFolder, type ModelFolder } from '../../../../src/model/folder.js';
import { assertClose } from '../../../support/compare.js';
import { floatVaeOf } from '../../../support/float-vae.js';
import { layoutFolder } from '../../../support/layouts.js';
import { testImage, tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const size = { width: 32, height: 32 };
const { data } = testImage(2, size);

describe('an autoencoder with latent statistics', () => {
  it('has latents of (encoded - mean) * scale / std, by channel, and decodes them again', async () => {
    const [mean, std] = [
      [0.1, -0.2, 0.3, 0],
      [0.5, 1, 2, 4],
    ];
    const statistics = { latentStatistics: { mean, std }, scalingFactor: 0.5, shiftFactor: 0 };
    await using plain = await ModelRuntime.load(
      { ...folder, scalingFactor: 1, shiftFactor: 0 },
      { threads: 1 },
    );
    await using scaled = await ModelRuntime.load({ ...folder, ...statistics }, { threads: 1 });
    const encoded = (await plain.encodeOne(data, size)).slice();
    const latent = (await scaled.encodeOne(data, size)).slice();
    const channel = latent.length / 4;
    assert.equal(channel, 16);
    for (const [i, value] of latent.entries()) {
      const c = Math.floor(i / channel);
      const want = ((encoded[i] - (mean[c] ?? 0)) * 0.5) / (std[c] ?? 1);
      assert.ok(Math.abs(value - want) < 1e-5, `${i}: ${value}, not ${want}`);
    }
    const [wanted, decoded] = [new Uint8ClampedArray(data.length), new Uint8ClampedArray(data.length)];
    await plain.decodeOne(encoded, size, wanted);
    await scaled.decodeOne(latent, size, decoded);
    for (const [i, value] of decoded.entries()) assert.ok(Math.abs(value - wanted[i]) <= 1, `${i}`);
  });
});

for (const [name, root, tolerance] of [
  ['float32', tinyModel, 1e-5],
  ['the names and moments of optimum', layoutFolder('optimum'), 1e-5],
  // Values from -1 to 1 are halves to 5e-4.
  ['float16', layoutFolder('optimum-onnx'), 5e-4],
] as const) {
  describe(`an autoencoder in ${name}`, () => {
    const pictures = [0, 1, 2].map((seed) => testImage(seed, size));

    async function load(): Promise<{ folder: ModelFolder; autoencoder: Autoencoder }> {
      const folder = await readModelFolder(root);
      const { vaeEncoder, vaeDecoder } = folder.layout;
      const conversions = vaeConversions(folder);
      const encoder = await OnnxPart.load(vaeEncoder.graph.file, {}, conversions.encoder);
      const decoder = await OnnxPart.load(vaeDecoder.graph.file, {}, conversions.decoder);
      return { folder, autoencoder: new Autoencoder(folder, encoder, decoder) };
    }

    it('takes and gives bytes as the graph of the file takes and gives planes', async () => {
      const { folder, autoencoder } = await load();
      const vae = await floatVaeOf(folder);
      const area = size.width * size.height;
      for (const picture of pictures) {
        const planes = Float32Array.from(
          { length: 3 * area },
          (_, i) => picture.data[3 * (i % area) + Math.floor(i / area)] / 127.5 - 1,
        );
        const latent = (await vae.encode(planes, size)).slice();
        const [own] = await autoencoder.encode([picture]);
        assertClose(own, latent, tolerance, 'latent');
        const decoded = await vae.decode(latent, size);
        const out = { ...size, data: new Uint8Array(3 * area) };
        assert.deepEqual(await autoencoder.decode([latent], [out]), [true]);
        const rounded = Uint8ClampedArray.from(
          out.data,
          (_, i) => ((decoded[(i % 3) * area + Math.floor(i / 3)] ?? NaN) + 1) * 127.5,
        );
        for (const [i, value] of out.data.entries())
          assert.ok(Math.abs(value - rounded[i]) <= 1, `byte ${i}`);
      }
    });

    it('gives in a call of several pictures what it gives for each alone', async () => {
      const { autoencoder } = await load();
      const alone: { latent: Float32Array; data: Uint8Array }[] = [];
      for (const picture of pictures) {
        const latent = (await autoencoder.encode([picture]))[0].slice();
        const data = new Uint8Array(picture.data.length);
        await autoencoder.decode([latent], [{ ...size, data }]);
        alone.push({ latent, data });
      }
      const latents = (await autoencoder.encode(pictures)).map((latent) => latent.slice());
      for (const [i, latent] of latents.entries()) assertClose(latent, alone[i].latent, 1e-5, `latent ${i}`);
      const outs = pictures.map(({ width, height, data }) => ({
        width,
        height,
        data: new Uint8Array(data.length),
      }));
      assert.deepEqual(await autoencoder.decode(latents, outs), [true, true, true]);
      for (const [k, { data }] of outs.entries()) {
        for (const [i, value] of data.entries()) {
          assert.ok(Math.abs(value - alone[k].data[i]) <= 1, `byte ${i} of picture ${k}`);
        }
      }
      const [first, , last] = latents;
      const bad = first.map((value, i) => (i === 5 ? NaN : value));
      assert.deepEqual(await autoencoder.decode([first, bad, last], outs), [true, false, true]);
    });
  });
}
