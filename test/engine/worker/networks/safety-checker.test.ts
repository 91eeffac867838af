import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { SafetyChecker } from '../../../../src/engine/worker/networks/safety-checker.js';
import type { Image } from '../../../../src/image/image.js';
import { readSafetyChecker, type SafetyLayout } from '../../../../src/model/layout/safety-checker.js';
import { classifierGraph, writeSafetyChecker } from '../../../support/safety-model.js';

const parent = await mkdtemp(join(tmpdir(), 'millrace-safety-'));
after(() => rm(parent, { recursive: true }));
let folders = 0;

/** Pictures of one colour, whose means are themselves at any size. */
function flat(colour: readonly number[], width = 12, height = 10): Image {
  const data = Uint8Array.from({ length: 3 * width * height }, (_, i) => colour[i % 3] ?? 0);
  return { width, height, data };
}

interface Rig extends AsyncDisposable {
  readonly checker: SafetyChecker;
  /** The shapes of the calls. */
  readonly calls: number[][];
}

async function load(
  { graph }: { readonly graph: Buffer },
  config: object = {},
  changes: Partial<SafetyLayout> = {},
): Promise<Rig> {
  const root = join(parent, `${folders++}`);
  await writeSafetyChecker(root, graph, { image_size: 8, ...config });
  const layout = await readSafetyChecker(root, 'on');
  assert.ok(layout);
  const part = await OnnxPart.load(layout.graph.file, {});
  const calls: number[][] = [];
  const checker = await SafetyChecker.create(
    { ...layout, ...changes },
    {
      runOpen(feeds, port) {
        calls.push(...feeds.map(({ shape }) => [...shape]));
        return part.runOpen(feeds, port);
      },
      [Symbol.asyncDispose]: () => part[Symbol.asyncDispose](),
    },
  );
  // That of the trial.
  calls.length = 0;
  return { checker, calls, [Symbol.asyncDispose]: () => checker[Symbol.asyncDispose]() };
}

const plain = { image_mean: [0, 0, 0], image_std: [1, 1, 1] };
const colours = [
  [255, 0, 0],
  [0, 255, 0],
  [10, 20, 230],
  [128, 128, 128],
] as const;

describe('the probability that a picture should not be shown', () => {
  it('is the softmax of two logits, of one of them the sigmoid', async () => {
    for (const flagged_logit of [0, 1] as const) {
      const own = classifierGraph(2);
      await using rig = await load(own, { ...plain, flagged_logit });
      const logit = (colour: readonly number[], index: number): number =>
        colour.reduce(
          (sum, byte, channel) => sum + (byte / 255) * (own.weights[2 * channel + index] ?? NaN),
          0,
        );
      const probabilities = await rig.checker.probabilities(colours.map((colour) => flat(colour)));
      colours.forEach((colour, i) => {
        const [other, wanted] = [logit(colour, 1 - flagged_logit), logit(colour, flagged_logit)].map(
          Math.exp,
        );
        assert.ok(
          Math.abs((probabilities[i] ?? NaN) - (wanted ?? NaN) / ((other ?? NaN) + (wanted ?? NaN))) < 1e-5,
        );
      });
    }
    const own = classifierGraph(1);
    await using rig = await load(own, plain);
    const [probability = NaN] = await rig.checker.probabilities([flat([255, 255, 255])]);
    const logit = own.weights.reduce((sum, weight) => sum + weight, 0);
    assert.ok(Math.abs(probability - 1 / (1 + Math.exp(-logit))) < 1e-5);
  });

  it('depends on the mean and deviation that the network was trained with', async () => {
    await using rig = await load(classifierGraph(1, { weights: [1, 0, 0] }), {
      image_mean: [0.5, 0, 0],
      image_std: [0.25, 1, 1],
    });
    const [probability = NaN] = await rig.checker.probabilities([flat([255, 0, 0])]);
    assert.ok(Math.abs(probability - 1 / (1 + Math.exp(-2))) < 1e-5);
  });

  it('is computed for pictures of any size in calls of up to eight', async () => {
    await using rig = await load(classifierGraph(2), plain);
    const pictures = Array.from({ length: 11 }, (_, i) => flat([20 * i, 0, 255], 3 + i, 20 - i));
    const together = await rig.checker.probabilities(pictures);
    assert.deepEqual(rig.calls, [
      [8, 3, 8, 8],
      [3, 3, 8, 8],
    ]);
    for (const [i, picture] of pictures.entries()) {
      const [alone = NaN] = await rig.checker.probabilities([picture]);
      assert.ok(Math.abs(alone - (together[i] ?? NaN)) < 1e-6, `${i}`);
    }
    assert.deepEqual(await rig.checker.probabilities([]), []);
  });

  it('is computed in calls of the number of pictures that the export fixed', async () => {
    await using rig = await load(classifierGraph(2), plain, { rows: 2 });
    const all = await rig.checker.probabilities(colours.slice(0, 3).map((colour) => flat(colour)));
    assert.deepEqual(rig.calls, [
      [2, 3, 8, 8],
      [2, 3, 8, 8],
    ]);
    const [third] = await rig.checker.probabilities([flat(colours[2])]);
    assert.deepEqual([all.length, all[2]], [3, third]);
  });
});

it('a picture is flagged from the threshold on, and if the network computes NaN', async () => {
  await using rig = await load(classifierGraph(1, { weights: [NaN, 0, 0] }), { ...plain, threshold: 0.7 });
  assert.deepEqual(
    [0, 0.69, 0.7, 1, NaN].map((probability) => rig.checker.isFlagged(probability)),
    [false, false, true, true, true],
  );
  const [probability] = await rig.checker.probabilities([flat([1, 1, 1])]);
  assert.ok(Number.isNaN(probability));
});

it('a network with more logits than its graph states is refused with advice', async () => {
  const { graph } = classifierGraph(3);
  await assert.rejects(load({ graph }), /where a safety checker returns one or two logits/);
  const part: Parameters<typeof SafetyChecker.create>[1] = {
    runOpen: () => Promise.resolve({ data: new Float32Array(3), shape: [1, 3] }),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
  const root = join(parent, `${folders++}`);
  await writeSafetyChecker(root, classifierGraph(2).graph, {});
  const layout = await readSafetyChecker(root, 'on');
  assert.ok(layout);
  await assert.rejects(
    SafetyChecker.create(layout, part),
    /returns "logits" of the shape \[1, 3\] for 1 pictures, not one or two logits each; export it again/,
  );
});
