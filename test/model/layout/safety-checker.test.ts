import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { readSafetyChecker } from '../../../src/model/layout/safety-checker.js';
import { ModelError } from '../../../src/model/model-error.js';
import { onnxGraph, type GraphPort } from '../../support/onnx-graph.js';
import { classifierGraph, writeSafetyChecker } from '../../support/safety-model.js';

const parent = await mkdtemp(join(tmpdir(), 'millrace-safety-'));
after(() => rm(parent, { recursive: true }));
let folders = 0;

async function folderWith(config: object, graph = classifierGraph(2).graph): Promise<string> {
  const root = join(parent, `${folders++}`);
  await writeSafetyChecker(root, graph, config);
  return root;
}

/** Returns a graph that can be read, but not run. */
function ports(input: GraphPort, output: GraphPort): Buffer {
  return onnxGraph({ inputs: [input], outputs: [output] });
}

const picture: GraphPort = ['pixel_values', 1, ['batch', 3, 224, 224]];

describe('a safety checker', () => {
  it('is read if the setting or the model turns it on', async () => {
    for (const [setting, config, on] of [
      ['auto', {}, false],
      ['auto', { enabled: false }, false],
      ['auto', { enabled: true }, true],
      ['on', {}, true],
      ['on', { enabled: false }, true],
      ['off', { enabled: true }, false],
    ] as const) {
      const layout = await readSafetyChecker(await folderWith(config), setting);
      assert.equal(layout !== null, on, `${setting}, ${JSON.stringify(config)}`);
    }
  });

  it('may be missing, or of another kind, unless it is turned on', async () => {
    const empty = join(parent, 'none');
    const original = await folderWith(
      { architectures: ['StableDiffusionSafetyChecker'] },
      onnxGraph({
        inputs: [
          ['clip_input', 1, ['batch', 3, 224, 224]],
          ['images', 1, ['batch', 'height', 'width', 3]],
        ],
        outputs: [['out_images', 1, ['batch', 'height', 'width', 3]]],
      }),
    );
    const otherSize = await folderWith({ image_size: [224, 224] });
    for (const root of [empty, original, otherSize]) {
      for (const setting of ['auto', 'off'] as const)
        assert.equal(await readSafetyChecker(root, setting), null);
      await assert.rejects(readSafetyChecker(root, 'on'), ModelError);
    }
    await assert.rejects(
      readSafetyChecker(empty, 'on'),
      /safety_checker.config\.json: no such file, although safetyChecker is on; put/,
    );
    await assert.rejects(readSafetyChecker(original, 'on'), /has the inputs clip_input, images, but one is/);
  });

  it('takes pictures as CLIP does, unless its configuration says otherwise', async () => {
    const usual = await readSafetyChecker(await folderWith({ architectures: ['Any'] }), 'on');
    assert.deepEqual(usual?.size, { width: 224, height: 224 });
    assert.deepEqual([usual?.flaggedLogit, usual?.threshold, usual?.rows], [1, 0.5, null]);
    const red = (byte: number): number => byte * (usual?.scale[0] ?? NaN) + (usual?.shift[0] ?? NaN);
    assert.ok(Math.abs(red(255) - (1 - 0.48145466) / 0.26862954) < 1e-6);
    const config = {
      image_size: 96,
      image_mean: [0.5, 0, 0],
      image_std: [0.5, 1, 1],
      flagged_logit: 0,
      threshold: 0.8,
    };
    const own = await readSafetyChecker(await folderWith(config), 'on');
    assert.deepEqual(own?.size, { width: 96, height: 96 });
    assert.deepEqual([own?.flaggedLogit, own?.threshold], [0, 0.8]);
    assert.deepEqual([own?.scale[0], own?.shift[0]], [2 / 255, -1]);
    const fixed = ports(['pixel_values', 1, [4, 3, 64, 32]], ['logits', 1, [4, 2]]);
    const exported = await readSafetyChecker(await folderWith(config, fixed), 'on');
    assert.deepEqual([exported?.size, exported?.rows], [{ width: 32, height: 64 }, 4]);
  });

  it('is refused with advice if it is no classifier with one or two logits', async () => {
    for (const output of [
      ['logits', 1, ['batch', 2]],
      ['logits', 1, ['batch', 1]],
      ['logits', 1, ['batch']],
      ['logits', 10, ['batch', 'labels']],
    ] as const) {
      assert.ok(
        await readSafetyChecker(await folderWith({}, ports(picture, output)), 'on'),
        JSON.stringify(output),
      );
    }
    for (const [graph, message] of [
      [
        ports(picture, ['logits', 1, ['batch', 5]]),
        /"logits" is float32 of \[batch, 5\], .* \[batch, 2\]; export/,
      ],
      [ports(picture, ['out', 1, ['batch', 2, 3]]), /one or two logits a picture/],
      [
        ports(['x', 1, ['batch', 77]], ['logits', 1, ['batch', 2]]),
        /"x" is float32 of \[batch, 77\], where a/,
      ],
      [
        ports(['x', 1, ['batch', 4, 9, 9]], ['logits', 1, ['batch', 2]]),
        /\[batch, 3, height, width\]; export/,
      ],
      [ports(['x', 7, ['batch', 3, 9, 9]], ['logits', 1, ['batch', 2]]), /"x" is int64/],
      [ports(['x', 1, ['batch', 3, 9, 5000]], ['logits', 1, ['batch', 2]]), /a side of 5000 pixels/],
    ] as const) {
      await assert.rejects(readSafetyChecker(await folderWith({}, graph), 'on'), message);
    }
  });

  it('is refused if its configuration is invalid, naming the field', async () => {
    for (const [config, field] of [
      [{ enabled: 'yes' }, 'enabled'],
      [{ image_size: 0 }, 'image_size'],
      [{ image_mean: [1, 2] }, 'image_mean'],
      [{ image_std: [1, 1, 0] }, 'image_std'],
      [{ flagged_logit: 2 }, 'flagged_logit'],
      [{ threshold: 1.5 }, 'threshold'],
    ] as const) {
      await assert.rejects(readSafetyChecker(await folderWith(config), 'on'), new RegExp(`field ${field}`));
    }
  });
});
