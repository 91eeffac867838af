import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Autoencoder } from '../../../../src/engine/worker/networks/autoencoder.js';
import type { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const size = { width: 32, height: 32 };
const planes = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i / 50));

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
    const encoded = (await plain.encodePlanes(planes, size)).slice();
    const latent = (await scaled.encodePlanes(planes, size)).slice();
    const channel = latent.length / 4;
    assert.equal(channel, 16);
    for (const [i, value] of latent.entries()) {
      const c = Math.floor(i / channel);
      const want = ((encoded[i] - (mean[c] ?? 0)) * 0.5) / (std[c] ?? 1);
      assert.ok(Math.abs(value - want) < 1e-5, `${i}: ${value}, not ${want}`);
    }
    const wanted = (await plain.decodePlanes(encoded, size)).slice();
    const decoded = await scaled.decodePlanes(latent, size);
    for (const [i, value] of decoded.entries()) assert.ok(Math.abs(value - wanted[i]) < 1e-4, `${i}`);
  });
});

describe('an autoencoder', () => {
  const shape = [3, 16, 24] as const;
  const latentShape = [2, 2, 3] as const;
  const values = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

  type Feeds = Parameters<OnnxPart['run']>[0];

  /** Creates one whose networks return these numbers, and records their runs. */
  function setUp(changes: Partial<typeof folder>, gives: readonly number[]) {
    const runs: { readonly feeds: Feeds; readonly name: string; readonly shape: readonly number[] }[] = [];
    const part: Pick<OnnxPart, 'run'> = {
      run(feeds, { name }, asked) {
        runs.push({ feeds: feeds.map((feed) => ({ ...feed, data: feed.data.slice() })), name, shape: asked });
        return Promise.resolve(Float32Array.from(gives));
      },
    };
    const own = { ...folder, latentChannels: 2, scalingFactor: 4, shiftFactor: 0.5, ...changes };
    return { autoencoder: new Autoencoder(own, part, part), runs };
  }

  for (const [gives, channels, more] of [
    ['moments', 4, [13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24]],
    ['latent', 2, []],
  ] as const) {
    it(`returns the scaled latent of a picture if the network gives ${gives}`, async () => {
      const { layout } = folder;
      const vaeEncoder = { ...layout.vaeEncoder, gives };
      const { autoencoder, runs } = setUp({ layout: { ...layout, vaeEncoder } }, [...values, ...more]);
      const picture = Float32Array.from({ length: 3 * 16 * 24 }, (_, i) => i);
      const latent = await autoencoder.encode(picture, shape, latentShape);
      assert.deepEqual(
        latent,
        Float32Array.from(values, (value) => (value - 0.5) * 4),
      );
      assert.deepEqual(runs, [
        {
          feeds: [{ port: vaeEncoder.input, data: picture, shape: [1, 3, 16, 24] }],
          name: vaeEncoder.output.name,
          shape: [1, channels, 2, 3],
        },
      ]);
    });
  }

  it('removes the scale of a latent and decodes it', async () => {
    const { autoencoder, runs } = setUp({}, [9, 8, 7]);
    const { input, output } = folder.layout.vaeDecoder;
    const latent = Float32Array.from(values);
    assert.deepEqual(await autoencoder.decode(latent, latentShape, shape), Float32Array.of(9, 8, 7));
    assert.deepEqual(latent, Float32Array.from(values), 'it stays unchanged');
    const data = Float32Array.from(values, (value) => value / 4 + 0.5);
    assert.deepEqual(runs, [
      { feeds: [{ port: input, data, shape: [1, 2, 2, 3] }], name: output.name, shape: [1, 3, 16, 24] },
    ]);
  });

  it('uses a mean and a deviation for each channel if the model has statistics', async () => {
    const latentStatistics = { mean: [1, 3], std: [2, 8] };
    const { autoencoder, runs } = setUp({ latentStatistics }, values);
    const encoded = await autoencoder.encode(new Float32Array(3 * 16 * 24), shape, latentShape);
    assert.deepEqual([...encoded], [0, 2, 4, 6, 8, 10, 2, 2.5, 3, 3.5, 4, 4.5]);
    await autoencoder.decode(Float32Array.from(values), latentShape, shape);
    const [feed] = runs[1]?.feeds ?? [];
    assert.deepEqual(feed?.data, Float32Array.of(1.5, 2, 2.5, 3, 3.5, 4, 17, 19, 21, 23, 25, 27));
  });
});
