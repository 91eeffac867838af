import assert from 'node:assert/strict';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readPreprocessors } from '../../../src/model/layout/preprocessor.js';
import { ModelError } from '../../../src/model/model-error.js';
import type { GraphPort } from '../../support/onnx-graph.js';
import { portsOnly, randomGraph, readPreprocessor } from '../../support/preprocessor-model.js';

const [float32, int64] = [1, 7];
const depth = { title: 'Depth', output: { kind: 'depth' } };
const anyPicture: GraphPort = ['image', float32, ['n', 3, 'h', 'w']];
const anyResult: GraphPort = ['result', float32, ['n', 'c', 'h', 'w']];

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
    /field output.kind must be equal to one of the allowed values: \["depth","picture","classes","mask"\], not "flow"/,
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
    portsOnly(['image', float32, ['n', 3, 384, 384]], anyResult),
    'config.json',
    /input.size is \[256, 256\], but .*model.onnx takes pictures of \[384, 384\]/,
  ],
  [
    'one fixed side',
    depth,
    portsOnly(['image', float32, ['n', 3, 384, 'w']], anyResult),
    'config.json',
    /input.size must be given: .* takes pictures of \[384, w\]/,
  ],
  [
    'pictures of four channels',
    depth,
    portsOnly(['image', float32, ['n', 4, 'h', 'w']], anyResult),
    'model.onnx',
    /"image" is float32 of the shape \[n, 4, h, w\], where a preprocessor takes float32 or float16 of \[batch, 3, height, width\]/,
  ],
  [
    'pictures of integers',
    depth,
    portsOnly(['image', int64, ['n', 3, 'h', 'w']], anyResult),
    'model.onnx',
    /"image" is int64/,
  ],
  [
    'vectors',
    depth,
    portsOnly(['image', float32, ['n', 3]], anyResult),
    'model.onnx',
    /of the shape \[n, 3\]/,
  ],
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
    portsOnly(anyPicture, ['result', float32, ['n', 'h', 'w']]),
    'model.onnx',
    /requires \[batch, channels, height, width\]$/,
  ],
  [
    'a result for each picture',
    depth,
    portsOnly(anyPicture, ['result', float32, ['n', 10]]),
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
  [
    'a mask that does not say which of its channels counts',
    { title: 'a', output: { kind: 'mask' } },
    randomGraph(2).graph,
    'config.json',
    /"result" has 2 channels: give output.channel, or output.classes if each is a class/,
  ],
  [
    'a channel that the graph lacks',
    { title: 'a', output: { kind: 'mask', channel: 2 } },
    randomGraph(2).graph,
    'config.json',
    /output.channel names 2, but "result" has 2 channels, counted from 0/,
  ],
  [
    'a class that the graph lacks',
    { title: 'a', output: { kind: 'mask', classes: [1, 21] } },
    randomGraph(21).graph,
    'config.json',
    /output.classes names 21, but "result" has 21 channels/,
  ],
  [
    'a channel and classes',
    { title: 'a', output: { kind: 'mask', channel: 1, classes: [1] } },
    randomGraph(2).graph,
    'config.json',
    /output.channel and output.classes exclude each other/,
  ],
  [
    'a channel of depth',
    { title: 'a', output: { kind: 'depth', channel: 0 } },
    randomGraph(1).graph,
    'config.json',
    /field output.channel belongs to output.kind "mask"/,
  ],
  [
    'an output that the graph lacks',
    { title: 'a', output: { kind: 'depth', name: 'depths' } },
    randomGraph(1).graph,
    'model.onnx',
    /has no output "depths"; it has result/,
  ],
  ['no graph', depth, Buffer.from('<html>404</html>'), 'model.onnx', /not an ONNX graph/],
];

describe('a preprocessor is refused, with the file and the fault, because of', () => {
  for (const [fault, config, graph, file, message] of faults) {
    it(fault, async () => {
      await assert.rejects(readPreprocessor(config, graph), (error) => {
        assert.ok(error instanceof ModelError, String(error));
        assert.ok(error.path.endsWith(join('preprocessors', 'depth', file)), error.path);
        assert.match(error.message, message);
        return true;
      });
    });
  }

  it('its name', async () => {
    await assert.rejects(
      readPreprocessor({ title: 'None', output: { kind: 'mask' } }, randomGraph(1).graph, 'none'),
      /none stands for no mask; rename the folder/,
    );
    await assert.rejects(
      readPreprocessor(depth, randomGraph(1).graph, 'Depth'),
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
