import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ControlNetworks } from '../../../../src/engine/worker/networks/control-networks.js';
import type { Feed, Wanted } from '../../../../src/engine/worker/networks/onnx-part.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { tinyModel } from '../../../support/engine.js';
import { steeredFolder } from '../../../support/steered-folder.js';

const folder = steeredFolder(await readModelFolder(tinyModel));
const [layout] = folder.layout.steered!.controls;
const side = folder.networkFactor;

/** Creates networks whose features are a number. */
function create(value = 1): { controls: ControlNetworks; runs: { feed: Feed; wanted: readonly Wanted[] }[] } {
  const runs: { feed: Feed; wanted: readonly Wanted[] }[] = [];
  const memory = new Float32Array(1000);
  const part = {
    runFor([feed]: readonly Feed[], wanted: readonly Wanted[]) {
      runs.push({ feed: { ...feed, data: feed.data.slice() }, wanted });
      return Promise.resolve(
        wanted.map(({ shape }) =>
          memory.fill(value).subarray(
            0,
            shape.reduce((all, size) => all * size),
          ),
        ),
      );
    },
  };
  return { controls: new ControlNetworks(folder, [{ layout, part }]), runs };
}

describe('a control network', () => {
  it('takes a picture in bytes, filled to a size that the networks take', async () => {
    const { controls, runs } = create();
    const size = { width: side - 1, height: side };
    const pixels = new Uint8Array(size.width * size.height * 3);
    for (let i = 0; i < pixels.length; i += 3) pixels.set([255, 51, 0], i);
    await controls.features('canny', pixels, size);
    const [{ feed, wanted }] = runs;
    assert.deepEqual(feed.shape, [1, side, side, 3]);
    assert.equal(feed.data.length, 3 * side * side);
    for (const [i, value] of feed.data.entries()) assert.equal(value, [255, 51, 0][i % 3]);
    const latent = side / folder.pixelFactor;
    assert.deepEqual(
      wanted.map(({ port, shape }) => [port.name, shape]),
      [['feature_0', [1, 1, latent, latent]]],
    );
  });

  it('gives new values for the inputs of the U-Net, which later pictures do not change', async () => {
    const { controls } = create();
    const size = { width: side, height: side };
    const pixels = new Uint8Array(side * side * 3);
    const first = await controls.features('canny', pixels, size);
    const second = await controls.features('canny', pixels, size);
    assert.deepEqual(Object.keys(first), ['control_0_feature_0']);
    first['control_0_feature_0'].fill(9);
    assert.ok(second['control_0_feature_0'].every((value) => value === 1));
  });

  it('is named if it computes values that are not finite, or does not exist', async () => {
    const size = { width: side, height: side };
    const pixels = new Uint8Array(side * side * 3);
    const { controls } = create(NaN);
    await assert.rejects(controls.features('canny', pixels, size), {
      name: 'NotFiniteError',
      part: 'control',
    });
    await assert.rejects(controls.features('pose', pixels, size), /no control pose/);
  });
});
