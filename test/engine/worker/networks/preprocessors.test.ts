import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { Preprocessor } from '../../../../src/engine/worker/networks/preprocessor.js';
import { Preprocessors } from '../../../../src/engine/worker/networks/preprocessors.js';
import { ModelRuntime } from '../../../../src/engine/worker/networks/runtime.js';
import type { Image } from '../../../../src/image/image.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import type { PreprocessorLayout } from '../../../../src/model/layout/preprocessor.js';
import { readGraphFile } from '../../../../src/model/layout/graph-file.js';
import { ModelError } from '../../../../src/model/model-error.js';
import { ModelCopy } from '../../../model/model-copy.js';
import { testImage, tinyModel } from '../../../support/engine.js';
import { onnxGraph, type GraphPort } from '../../../support/onnx-graph.js';
import {
  pictureInput,
  preprocessorLayout,
  randomGraph,
  writePreprocessor,
} from '../../../support/preprocessor-model.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-preprocessors-'));
after(() => rm(folder, { recursive: true }));

const float32 = 1;

/** Networks with one preprocessor, and the rows of each call of it. */
interface Rig extends AsyncDisposable {
  readonly preprocessors: Preprocessors;
  readonly calls: number[][];
}

let files = 0;

async function load(graph: Buffer, changes: Partial<PreprocessorLayout> = {}): Promise<Rig> {
  const file = join(folder, `${files++}.onnx`);
  await writeFile(file, graph);
  const layout = { ...preprocessorLayout, graph: await readGraphFile(file), ...changes };
  const part = await OnnxPart.load(file, {});
  const calls: number[][] = [];
  const preprocessors = await Preprocessors.load([layout, { ...layout, name: 'other' }], (own) =>
    Preprocessor.create(own, {
      runOpen(feeds, port) {
        calls.push(...feeds.map(({ shape }) => [...shape]));
        return part.runOpen(feeds, port);
      },
    }),
  );
  // Those of the trials.
  calls.length = 0;
  return { preprocessors, calls, [Symbol.asyncDispose]: () => part[Symbol.asyncDispose]() };
}

const job = (image: Image, preprocessor = 'random') => ({ preprocessor, image });
const picture = (frame: number, width = 16, height = 8): Image => testImage(frame, { width, height });

/** Returns what a convolution with a kernel of 1 pixel makes of a pixel: 0 to 1 becomes black to white. */
function drawn(weights: Float32Array, pixel: Uint8Array, channel: number): number {
  const sum = [0, 1, 2].reduce((sum, c) => sum + (weights[channel * 3 + c] * pixel[c]) / 255, 0);
  return Math.min(Math.max(255 * sum, 0), 255);
}

function assertDrawn(image: Image, made: Image | null, weights: Float32Array): void {
  assert.ok(made);
  assert.deepEqual([made.width, made.height], [image.width, image.height]);
  for (let p = 0; p < image.data.length; p += 3) {
    for (let channel = 0; channel < 3; channel++) {
      const wanted = drawn(weights, image.data.subarray(p, p + 3), channel);
      const got = made.data[p + channel];
      assert.ok(Math.abs(got - wanted) < 0.51, `${p}: ${got}, not ${wanted}`);
    }
  }
}

describe('the preprocessors of a model', () => {
  const { graph, weights } = randomGraph(3);

  it('make a control picture of each picture', async () => {
    await using rig = await load(graph);
    const images = [picture(0), picture(5)];
    const made = await rig.preprocessors.preparePictures(images.map((image) => job(image)));
    assert.equal(made.length, 2);
    for (const [i, image] of images.entries()) assertDrawn(image, made[i], weights);
    assert.notEqual(made[0]?.data.buffer, made[1]?.data.buffer);
    assert.deepEqual(images, [picture(0), picture(5)], 'the pictures are unchanged');
  });

  it('share a call for the pictures of several streams that have the same preprocessor and size', async () => {
    await using rig = await load(graph);
    const jobs = [
      job(picture(0)),
      job(picture(1, 8, 8)),
      job(picture(2), 'other'),
      job(picture(3)),
      job(picture(4, 8, 8)),
    ];
    const made = await rig.preprocessors.preparePictures(jobs);
    assert.deepEqual(rig.calls, [
      [2, 3, 8, 16],
      [2, 3, 8, 8],
      [1, 3, 8, 16],
    ]);
    for (const [i, { image }] of jobs.entries()) assertDrawn(image, made[i], weights);
  });

  it('take at most eight pictures in a call', async () => {
    await using rig = await load(graph);
    const jobs = Array.from({ length: 19 }, (_, i) => job(picture(i)));
    const made = await rig.preprocessors.preparePictures(jobs);
    assert.deepEqual(
      rig.calls.map(([rows]) => rows),
      [8, 8, 3],
    );
    for (const [i, { image }] of jobs.entries()) assertDrawn(image, made[i], weights);
  });

  it('fill calls whose number of pictures the export fixed', async () => {
    const input: GraphPort = ['image', float32, [2, 3, 'height', 'width']];
    await using rig = await load(randomGraph(3, { input }).graph, { rows: 2 });
    const jobs = [job(picture(0)), job(picture(1)), job(picture(2))];
    const made = await rig.preprocessors.preparePictures(jobs);
    assert.deepEqual(
      rig.calls.map(([rows]) => rows),
      [2, 2],
    );
    for (const [i, { image }] of jobs.entries()) assertDrawn(image, made[i], weights);
  });

  it('do nothing without jobs', async () => {
    await using rig = await load(graph);
    assert.deepEqual(await rig.preprocessors.preparePictures([]), []);
    assert.deepEqual(rig.calls, []);
  });

  it('resize pictures to the size of the network, so that those of different sizes share a call', async () => {
    await using rig = await load(graph, { size: { width: 12, height: 20 } });
    const flat: Image = { width: 16, height: 8, data: new Uint8Array(16 * 8 * 3).fill(100) };
    const small: Image = { width: 4, height: 4, data: new Uint8Array(4 * 4 * 3).fill(30) };
    const made = await rig.preprocessors.preparePictures([job(flat), job(small)]);
    assert.deepEqual(rig.calls, [[2, 3, 20, 12]]);
    assertDrawn(flat, made[0], weights);
    assertDrawn(small, made[1], weights);
  });

  it('enlarge pictures to multiples that the network takes', async () => {
    await using rig = await load(graph, { multipleOf: 14 });
    await rig.preprocessors.preparePictures([job(picture(0, 28, 14)), job(picture(0, 27, 15))]);
    assert.deepEqual(rig.calls, [
      [1, 3, 14, 28],
      [1, 3, 28, 28],
    ]);
  });

  it('give the network values and channels in its own range and order', async () => {
    const layout = { order: 'bgr', scale: [2 / 255, 1 / 255, 4 / 255], shift: [-1, 0, 0.5] } as const;
    const identity = onnxGraph({
      inputs: [pictureInput],
      outputs: [['result', float32, ['batch', 3, 'height', 'width']]],
      nodes: [['Identity', ['image'], 'result']],
    });
    await using rig = await load(identity, {
      ...layout,
      result: { ...preprocessorLayout.result, range: [-5, 5] },
    });
    const image: Image = { width: 1, height: 1, data: Uint8Array.of(51, 102, 204) };
    const [made] = await rig.preprocessors.preparePictures([job(image)]);
    // Blue, green and red: 2 * 0.8 - 1, 0.4, 4 * 0.2 + 0.5, drawn from -5 to 5.
    assert.deepEqual(
      [...(made?.data ?? [])],
      [0.6, 0.4, 1.3].map((value) => Math.round((value + 5) * 25.5)),
    );
  });

  it('resize results of another size to that of the picture', async () => {
    await using rig = await load(randomGraph(1, { kernel: 3 }).graph);
    const [made] = await rig.preprocessors.preparePictures([job(picture(0))]);
    assert.deepEqual([made?.width, made?.height, made?.data.length], [16, 8, 16 * 8 * 3]);
  });

  it('take results without a channel, one value for each pixel', async () => {
    const mean = onnxGraph({
      inputs: [pictureInput],
      outputs: [['result', float32, ['batch', 'height', 'width']]],
      constants: [
        ['weights', [1, 3, 1, 1], [1, 0, 0]],
        ['axes', [1], [1n]],
      ],
      nodes: [
        ['Conv', ['image', 'weights'], 'grey'],
        ['Squeeze', ['grey', 'axes'], 'result'],
      ],
    });
    await using rig = await load(mean, { result: { ...preprocessorLayout.result, kind: 'depth' } });
    const image = picture(3);
    const [made] = await rig.preprocessors.preparePictures([job(image)]);
    for (let p = 0; p < image.data.length; p += 3) {
      assert.deepEqual([...(made?.data.subarray(p, p + 3) ?? [])], Array(3).fill(image.data[p]));
    }
  });

  it('return null for a picture for which a network computes NaN, and the others all the same', async () => {
    // The logarithm of a negative number is NaN: of pictures darker than a half.
    const logarithm = onnxGraph({
      inputs: [pictureInput],
      outputs: [['result', float32, ['batch', 3, 'height', 'width']]],
      constants: [['half', [1], [0.5]]],
      nodes: [
        ['Sub', ['image', 'half'], 'left'],
        ['Log', ['left'], 'result'],
      ],
    });
    await using rig = await load(logarithm);
    const grey = (value: number): Image => ({ width: 8, height: 8, data: new Uint8Array(192).fill(value) });
    const made = await rig.preprocessors.preparePictures([job(grey(200)), job(grey(20)), job(grey(255))]);
    assert.deepEqual(
      made.map((image) => image !== null),
      [true, false, true],
    );
  });

  it('refuse a name that the model lacks', async () => {
    await using rig = await load(graph);
    await assert.rejects(rig.preprocessors.preparePictures([job(picture(0), 'pose')]), {
      name: 'RangeError',
      message: 'the model has no preprocessor pose',
    });
  });
});

describe('loading a preprocessor', () => {
  const { graph } = randomGraph(3);

  it('refuses the name of one that needs no network', async () => {
    await assert.rejects(load(graph, { name: 'canny' }), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(
        error.message,
        /canny is the name of a preprocessor that needs no network; rename the folder/,
      );
      return true;
    });
  });

  it('refuses a network that fails for the size in its configuration', async () => {
    await assert.rejects(
      load(randomGraph(1, { kernel: 5 }).graph, { size: { width: 3, height: 3 } }),
      (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(
          error.message,
          /\.onnx: fails for pictures of 3x3 pixels: .*; correct the size and kind/s,
        );
        return true;
      },
    );
  });

  it('refuses a network that returns no pictures, or another number of them', async () => {
    for (const shape of [[], [1, 10], [2, 3, 8, 8], [1, 3, 8, 8, 1], [1, 0, 8, 8]]) {
      const part = { runOpen: () => Promise.resolve({ data: new Float32Array(1), shape }) };
      const loading = Preprocessors.load([preprocessorLayout], (own) => Preprocessor.create(own, part));
      await assert.rejects(loading, (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(
          error.message,
          /^model\.onnx: returns "result" of the shape \[.*\], not \[1, channels, height, width\]; correct/,
        );
        return true;
      });
    }
  });

  it('refuses a mask of a channel that the network turns out to lack', async () => {
    const part = { runOpen: () => Promise.resolve({ data: new Float32Array(2), shape: [1, 2, 1, 1] }) };
    const result = { ...preprocessorLayout.result, channel: 2 };
    const creating = Preprocessor.create({ ...preprocessorLayout, result }, part);
    await assert.rejects(creating, /model\.onnx: returns 2 channels, but output.channel is 2; correct/);
  });

  it('is part of loading a model', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await writePreprocessor(copy.folder, 'segments', graph, {
      title: 'Segments',
      output: { kind: 'classes' },
    });
    const steps: string[] = [];
    const model = await readModelFolder(copy.folder);
    await using runtime = await ModelRuntime.load(model, { threads: 1 }, (step) => steps.push(step));
    assert.equal(steps.at(-1), 'loading the preprocessor segments');
    const [made] = await runtime.preparePictures([{ preprocessor: 'segments', image: picture(0) }]);
    const colours = new Set(
      Array.from({ length: 16 * 8 }, (_, i) => made?.data.subarray(3 * i, 3 * i + 3).join()),
    );
    for (const colour of colours) assert.ok(['0,0,0', '128,0,0', '0,128,0'].includes(colour ?? ''), colour);
  });
});
