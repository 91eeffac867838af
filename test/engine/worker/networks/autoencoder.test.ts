import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';

const folder = await readModelFolder(tinyModel);
const size = { width: 32, height: 32 };
const planes = Float32Array.from({ length: 3 * 32 * 32 }, (_, i) => Math.sin(i / 50));

describe('an autoencoder with statistics of its latents', () => {
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
