import assert from 'node:assert/strict';
import { readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import { embeddedModel } from '../../support/engine.js';
import { onnxGraph } from '../../support/onnx-graph.js';
import { assertFails, PullRig } from './pull-rig.js';

const unet = 'unet/model.onnx';
const weights = 'unet/weights.safetensors';
const unneeded = 'unet/diffusion_pytorch_model.fp16.safetensors';

/** Returns a graph with its weights in other files. */
function graphWith(...files: readonly string[]): Buffer {
  return onnxGraph({
    inputs: [['sample', 1, ['batch', 4, 'height', 'width']]],
    outputs: [['out_sample', 1, ['batch', 4, 'height', 'width']]],
    weights: files.map((file, i) => [`weight-${i}`, 1, [320, 320], file]),
  });
}

/** Starts a hub whose U-Net has weights next to it, and other weights that it does not name. */
async function startRig(): Promise<PullRig> {
  const rig = await PullRig.start();
  rig.hub.put(unet, graphWith('weights.safetensors', './bias.bin', 'weights.safetensors'));
  rig.hub.put(weights, Buffer.alloc(6_000_000, 3));
  rig.hub.put('unet/bias.bin', Buffer.alloc(1000, 4));
  rig.hub.put(unneeded, Buffer.alloc(100_000, 5));
  return rig;
}

const isWeights = (path: string): boolean => /safetensors|\.bin/.test(path);

describe('weights next to a graph', () => {
  it('are downloaded, but only those that a graph names', async () => {
    await using rig = await startRig();
    const folder = await rig.pull();
    assert.deepEqual(rig.hub.downloads.filter(isWeights), ['unet/bias.bin', weights]);
    assert.deepEqual(await readFile(join(folder, weights)), rig.hub.content(weights));
    const whole = rig.hub.downloads.reduce((sum, path) => sum + rig.hub.content(path).length, 0);
    const last = rig.progress.at(-1);
    assert.deepEqual([last?.done, last?.total, last?.path], [whole, whole, weights]);
    const done = rig.progress.map(({ done }) => done);
    assert.deepEqual(
      done,
      done.toSorted((a, b) => a - b),
    );
  });

  it('are taken from the cache, and downloaded again if they are missing from it', async () => {
    await using rig = await startRig();
    const folder = await rig.pull();
    const { length } = rig.hub.downloads;
    await rig.pull();
    await rm(join(folder, weights));
    await rig.pull();
    assert.equal(rig.hub.downloads.length, length);
    assert.ok((await stat(join(folder, weights))).isFile());
    await rm(join(rig.root, 'blobs', rig.hub.checksum(weights)));
    assert.equal(await rig.pull(rig.hub.repo, { offline: true }), folder);
    await rig.pull();
    assert.deepEqual(rig.hub.downloads.slice(length), [weights]);
    assert.deepEqual(await readFile(join(folder, weights)), rig.hub.content(weights));
  });

  it('are continued where an earlier run broke off', async () => {
    await using rig = await startRig();
    const gone = { kind: 'status', status: 404, headers: { 'X-Error-Code': 'EntryNotFound' } } as const;
    let opened = 0;
    rig.hub.plan(/weights\.safetensors$/, { kind: 'cut', after: 1_000_000 });
    const again = (path: string): boolean =>
      path.includes('/resolve/') && path.endsWith(weights) && opened++ > 0;
    rig.hub.plan({ test: again }, gone);
    await assertFails(rig.pull(), /no longer has a file that it listed/);
    await rig.assertNothingHalf();
    const { size } = await stat(join(rig.root, 'blobs', `${rig.hub.checksum(weights)}.incomplete`));
    rig.progress.length = 0;
    const { length } = rig.hub.downloads;
    const folder = await rig.pull();
    assert.deepEqual(rig.hub.downloads.slice(length), [weights]);
    assert.equal(rig.hub.requests.at(-1)?.range, `bytes=${size}-`);
    assert.deepEqual(await readFile(join(folder, weights)), rig.hub.content(weights));
    const whole = [...new Set(rig.hub.downloads)].reduce(
      (sum, path) => sum + rig.hub.content(path).length,
      0,
    );
    assert.ok(rig.progress.every(({ total }) => total === whole));
  });

  it('must fit on the disk, or no large file is started', async () => {
    await using rig = await startRig();
    rig.hub.announce(weights, 1e17);
    await assertFails(rig.pull(), /100000000\.\d GB are still to be downloaded, but the disk/);
    assert.ok(!rig.hub.downloads.includes('vae_decoder/model.onnx'));
    await rig.assertNothingHalf();
  });

  for (const name of ['none.bin', '../weights.bin', '/etc/hosts', 'deeper/weights.bin', '..', 'a\n\\b']) {
    it(`are refused if they are not next to it: ${JSON.stringify(name)}`, async () => {
      await using rig = await startRig();
      rig.hub.put('weights.bin', Buffer.alloc(10));
      rig.hub.put('unet/deeper/weights.bin', Buffer.alloc(10));
      rig.hub.put(unet, graphWith(name));
      await assertFails(rig.pull(), /^unet\/model\.onnx of studio\/tiny has its weights in "/);
      assert.ok(!rig.hub.downloads.some(isWeights), rig.hub.downloads.join());
      await rig.assertNothingHalf();
    });
  }

  it('are not looked for in a file that is not a graph', async () => {
    await using rig = await startRig();
    rig.hub.put(unet, Buffer.from('version https://git-lfs.github.com/spec/v1'));
    await assertFails(rig.pull(), /^unet\/model\.onnx of studio\/tiny is not an ONNX graph/);
    await rig.assertNothingHalf();
  });

  it('complete the embedded model, including its 8-bit graphs', async () => {
    await using rig = await PullRig.start(embeddedModel);
    const root = await rig.pull();
    const pulled = await readModelFolder(root);
    const original = await readModelFolder(embeddedModel);
    assert.ok(pulled.int8);
    assert.equal(pulled.int8.unet.graph.file, join(root, 'unet/model_int8.onnx'));
    assert.deepEqual(pulled.int8.unet.graph.weightFiles, original.int8?.unet.graph.weightFiles);
    assert.deepEqual(pulled.defaults, original.defaults);
    assert.deepEqual(rig.hub.downloads.filter(isWeights), [
      'text_encoder/model.safetensors',
      'unet/diffusion_pytorch_model.safetensors',
    ]);
  });
});
