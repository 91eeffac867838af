import assert from 'node:assert/strict';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import type { PreprocessorLayout } from '../../../src/model/layout/preprocessor.js';
import { onnxGraph, type GraphPort } from '../../support/onnx-graph.js';
import {
  portsOnly,
  randomGraph,
  readPreprocessor,
  writePreprocessor,
} from '../../support/preprocessor-model.js';
import { embeddedModel, ModelCopy } from '../model-copy.js';

const float32 = 1;

const depth = { title: 'Depth', output: { kind: 'depth' } };
const anyPicture: GraphPort = ['image', float32, ['n', 3, 'h', 'w']];
const anyResult: GraphPort = ['result', float32, ['n', 'c', 'h', 'w']];

describe('preprocessors of a model folder', () => {
  it('are none in a folder without them', async () => {
    const { preprocessors } = await readModelFolder(embeddedModel);
    assert.deepEqual(preprocessors, []);
  });

  it('belong to the model, in alphabetical order', async () => {
    await using copy = await ModelCopy.create();
    await writePreprocessor(copy.folder, 'pose', randomGraph(3).graph, {
      title: 'Pose',
      output: { kind: 'picture' },
    });
    await writePreprocessor(copy.folder, 'depth', randomGraph(1).graph, depth);
    await writeFile(join(copy.folder, 'preprocessors', 'README.md'), 'about them');
    await mkdir(join(copy.folder, 'preprocessors', '.cache'));
    const { preprocessors } = await readModelFolder(copy.folder);
    assert.deepEqual(
      preprocessors.map(({ name, title, result }) => [name, title, result.kind]),
      [
        ['depth', 'Depth', 'depth'],
        ['pose', 'Pose', 'picture'],
      ],
    );
  });

  it('have defaults: pictures of any size, RGB from 0 to 1, and results from 0 to 1', async () => {
    const layout = await readPreprocessor(depth);
    const { size, multipleOf, rows, scale, shift, order, result } = layout;
    assert.deepEqual(
      { size, multipleOf, rows, shift, order },
      { size: null, multipleOf: 1, rows: null, shift: [0, 0, 0], order: 'rgb' },
    );
    assert.deepEqual(
      scale.map((factor) => factor * 255),
      [1, 1, 1],
    );
    assert.deepEqual([result.kind, result.range, result.invert], ['depth', [0, 1], false]);
  });

  it('have the fields of their configuration', async () => {
    const { size, scale, shift, order, result, multipleOf } = await readPreprocessor({
      title: 'Depth',
      input: {
        size: [384, 512],
        multiple_of: 32,
        range: { mean: [0.5, 0, 0.25], std: [0.5, 1, 0.25] },
        layout: 'bgr',
      },
      output: { kind: 'depth', range: 'minmax', invert: true },
    });
    assert.deepEqual([size, order, multipleOf], [{ height: 384, width: 512 }, 'bgr', 32]);
    // White and black: (byte / 255 - mean) / std.
    assert.deepEqual(
      scale.map((factor, c) => Math.round(1e6 * (255 * factor + (shift[c] ?? 0))) / 1e6),
      [1, 1, 3],
    );
    assert.deepEqual(
      shift.map((value) => value + 0),
      [-1, 0, -1],
    );
    assert.deepEqual([result.range, result.invert], ['minmax', true]);
    const centred = await readPreprocessor({ ...depth, input: { range: [-1, 1] } });
    assert.deepEqual(
      [centred.shift, centred.scale.map((factor) => 255 * factor)],
      [
        [-1, -1, -1],
        [2, 2, 2],
      ],
    );
  });

  it('take the size and the number of pictures that the export fixed', async () => {
    const fixed = portsOnly(['image', float32, [1, 3, 256, 320]], anyResult);
    const { size, rows } = await readPreprocessor(depth, fixed);
    assert.deepEqual([size, rows], [{ height: 256, width: 320 }, 1]);
    const { size: same } = await readPreprocessor({ ...depth, input: { size: [256, 320] } }, fixed);
    assert.deepEqual(same, { height: 256, width: 320 });
  });

  it('make masks of one channel, or of classes by their scores or their number', async () => {
    const mask = async (output: object, channels: number): Promise<PreprocessorLayout['result']> =>
      (
        await readPreprocessor(
          { title: 'Person', output: { kind: 'mask', ...output } },
          randomGraph(channels).graph,
        )
      ).result;
    const { kind, channel, classes } = await mask({}, 1);
    assert.deepEqual([kind, channel, classes], ['mask', 0, null]);
    assert.equal((await mask({ channel: 1 }, 2)).channel, 1);
    assert.deepEqual((await mask({ classes: [15] }, 21)).classes, [15]);
    assert.deepEqual((await mask({ classes: [15, 2] }, 1)).classes, [15, 2]);
  });

  it('that make masks are offered for masks alone, the others for controls alone', async () => {
    await using copy = await ModelCopy.create();
    const { graph } = randomGraph(1);
    await writePreprocessor(copy.folder, 'person', graph, { title: 'Person', output: { kind: 'mask' } });
    await writePreprocessor(copy.folder, 'depth', graph, depth);
    const { maskPreprocessors } = await readModelFolder(copy.folder);
    assert.deepEqual(maskPreprocessors, ['person']);
  });

  it('give the output that their configuration names, without one the first', async () => {
    const graph = onnxGraph({
      inputs: [anyPicture],
      outputs: [anyResult, ['aux', float32, ['n', 'c', 'h', 'w']]],
    });
    const name = async (output: object): Promise<string> =>
      (await readPreprocessor({ title: 'Depth', output: { kind: 'depth', ...output } }, graph)).output.name;
    assert.deepEqual([await name({}), await name({ name: 'aux' })], ['result', 'aux']);
  });

  it('draw classes in their palette, without one in the colours of PASCAL VOC', async () => {
    const classes = { title: 'Segments', output: { kind: 'classes' } };
    const { palette } = (await readPreprocessor(classes, randomGraph(21).graph)).result;
    assert.deepEqual(palette.slice(0, 4), [
      [0, 0, 0],
      [128, 0, 0],
      [0, 128, 0],
      [128, 128, 0],
    ]);
    assert.deepEqual([palette.length, palette[8], palette[20]], [256, [64, 0, 0], [0, 64, 128]]);
    const own = {
      ...classes,
      output: {
        kind: 'classes',
        palette: [
          [1, 2, 3],
          [4, 5, 6],
        ],
      },
    };
    assert.deepEqual((await readPreprocessor(own, randomGraph(2).graph)).result.palette, own.output.palette);
  });
});
