import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readModelFolder } from '../../../src/model/folder.js';
import { readPreprocessors, type PreprocessorLayout } from '../../../src/model/layout/preprocessor.js';
import { ModelError } from '../../../src/model/model-error.js';
import { onnxGraph, type GraphPort } from '../../support/onnx-graph.js';
import { randomGraph, writePreprocessor } from '../../support/preprocessor-model.js';
import { embeddedModel, ModelCopy } from '../model-copy.js';

const [float32, int64] = [1, 7];

/** Reads a folder with one preprocessor. */
async function read(
  config: object,
  graph: Buffer = randomGraph(1).graph,
  name = 'depth',
): Promise<PreprocessorLayout> {
  const root = await mkdtemp(join(tmpdir(), 'millrace-preprocessors-'));
  try {
    await writePreprocessor(root, name, graph, config);
    const [layout] = await readPreprocessors(root);
    return layout;
  } finally {
    await rm(root, { recursive: true });
  }
}

/** Returns a graph with this input and output, which cannot be run. */
function ports(input: GraphPort, output: GraphPort): Buffer {
  return onnxGraph({ inputs: [input], outputs: [output] });
}

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
    const layout = await read(depth);
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
    const { size, scale, shift, order, result, multipleOf } = await read({
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
    const centred = await read({ ...depth, input: { range: [-1, 1] } });
    assert.deepEqual(
      [centred.shift, centred.scale.map((factor) => 255 * factor)],
      [
        [-1, -1, -1],
        [2, 2, 2],
      ],
    );
  });

  it('take the size and the number of pictures that the export fixed', async () => {
    const fixed = ports(['image', float32, [1, 3, 256, 320]], anyResult);
    const { size, rows } = await read(depth, fixed);
    assert.deepEqual([size, rows], [{ height: 256, width: 320 }, 1]);
    const { size: same } = await read({ ...depth, input: { size: [256, 320] } }, fixed);
    assert.deepEqual(same, { height: 256, width: 320 });
  });

  it('draw classes in their palette, without one in the colours of PASCAL VOC', async () => {
    const classes = { title: 'Segments', output: { kind: 'classes' } };
    const { palette } = (await read(classes, randomGraph(21).graph)).result;
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
    assert.deepEqual((await read(own, randomGraph(2).graph)).result.palette, own.output.palette);
  });
});

/** The fault, the configuration, the graph, the file in the error, the error message. */
const faults: readonly [string, object, Buffer, string, RegExp][] = [
  [
    'no title',
    { output: { kind: 'depth' } },
    randomGraph(1).graph,
    'config.json',
    /must have required property 'title'/,
  ],
  [
    'no kind',
    { title: 'a', output: {} },
    randomGraph(1).graph,
    'config.json',
    /field output must have required property 'kind'/,
  ],
  [
    'an unknown kind',
    { title: 'a', output: { kind: 'flow' } },
    randomGraph(1).graph,
    'config.json',
    /field output.kind must be equal to one of the allowed values: \["depth","picture","classes"\], not "flow"/,
  ],
  [
    'an unknown field',
    { ...depth, inputs: {} },
    randomGraph(1).graph,
    'config.json',
    /must NOT have additional properties/,
  ],
  [
    'a size of one side',
    { ...depth, input: { size: [384] } },
    randomGraph(1).graph,
    'config.json',
    /field input.size must NOT have fewer than 2 items/,
  ],
  [
    'a deviation of 0',
    { ...depth, input: { range: { mean: [0, 0, 0], std: [1, 0, 1] } } },
    randomGraph(1).graph,
    'config.json',
    /field input.range/,
  ],
  [
    'black like white',
    { title: 'a', output: { kind: 'depth', range: [1, 1] } },
    randomGraph(1).graph,
    'config.json',
    /output.range has two equal values/,
  ],
  [
    'a colour beyond a byte',
    { title: 'a', output: { kind: 'classes', palette: [[0, 0, 256]] } },
    randomGraph(1).graph,
    'config.json',
    /field output.palette.0.2 must be <= 255/,
  ],
  [
    'another size than the graph',
    { ...depth, input: { size: [256, 256] } },
    ports(['image', float32, ['n', 3, 384, 384]], anyResult),
    'config.json',
    /input.size is \[256, 256\], but .*model.onnx takes pictures of \[384, 384\]/,
  ],
  [
    'one fixed side',
    depth,
    ports(['image', float32, ['n', 3, 384, 'w']], anyResult),
    'config.json',
    /input.size must be given: .* takes pictures of \[384, w\]/,
  ],
  [
    'pictures of four channels',
    depth,
    ports(['image', float32, ['n', 4, 'h', 'w']], anyResult),
    'model.onnx',
    /"image" is float32 of the shape \[n, 4, h, w\], where a preprocessor takes float32 or float16 of \[batch, 3, height, width\]/,
  ],
  [
    'pictures of integers',
    depth,
    ports(['image', int64, ['n', 3, 'h', 'w']], anyResult),
    'model.onnx',
    /"image" is int64/,
  ],
  ['vectors', depth, ports(['image', float32, ['n', 3]], anyResult), 'model.onnx', /of the shape \[n, 3\]/],
  [
    'depth of three channels',
    depth,
    randomGraph(3).graph,
    'model.onnx',
    /"result" has the shape \[batch, 3, rows, columns\], where output.kind "depth" requires 1 channel$/,
  ],
  [
    'a picture of two channels',
    { title: 'a', output: { kind: 'picture' } },
    randomGraph(2).graph,
    'model.onnx',
    /requires 1 or 3 channels/,
  ],
  [
    'a picture without channels',
    { title: 'a', output: { kind: 'picture' } },
    ports(anyPicture, ['result', float32, ['n', 'h', 'w']]),
    'model.onnx',
    /requires \[batch, channels, height, width\]$/,
  ],
  [
    'a result for each picture',
    depth,
    ports(anyPicture, ['result', float32, ['n', 10]]),
    'model.onnx',
    /or \[batch, height, width\]$/,
  ],
  [
    'fewer colours than classes',
    { title: 'a', output: { kind: 'classes', palette: [[0, 0, 0]] } },
    randomGraph(3).graph,
    'model.onnx',
    /so output.palette must have 3 colours, not 1/,
  ],
  ['no graph', depth, Buffer.from('<html>404</html>'), 'model.onnx', /not an ONNX graph/],
];

describe('a preprocessor is refused, with the file and the fault, because of', () => {
  for (const [fault, config, graph, file, message] of faults) {
    it(fault, async () => {
      await assert.rejects(read(config, graph), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.ok(error.path.endsWith(join('preprocessors', 'depth', file)), error.path);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('its name', async () => {
    await assert.rejects(
      read(depth, randomGraph(1).graph, 'Depth'),
      /a preprocessor has 1 to 40 of the characters/,
    );
  });

  it('a missing file', async () => {
    const root = await mkdtemp(join(tmpdir(), 'millrace-preprocessors-'));
    await mkdir(join(root, 'preprocessors', 'depth'), { recursive: true });
    await assert.rejects(readPreprocessors(root), /preprocessors.depth.config\.json: no such file/);
    await writeFile(join(root, 'preprocessors', 'depth', 'config.json'), JSON.stringify(depth));
    await assert.rejects(readPreprocessors(root), /preprocessors.depth.model\.onnx: no such file/);
    await rm(root, { recursive: true });
  });
});
