import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { OnnxPart } from '../../../src/engine/worker/networks/onnx-part.js';
import type { NumberPort } from '../../../src/model/layout/ports.js';
import { inBytes, meanOf, withBorders } from '../../../src/model/onnx/borders.js';
import { readSignature } from '../../../src/model/onnx/signature.js';
import { onnxGraph } from '../../support/onnx-graph.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-borders-'));
after(() => rm(folder, { recursive: true }));

const planes = ['n', 3, 'height', 'width'] as const;
const levels = { black: -1, white: 1 };
const types = { float32: 1, float16: 10 } as const;
type Float = keyof typeof types;

/** Writes a graph that returns its input; inside are names as quantisation gives them. @returns its path. */
async function unchanged(type: Float): Promise<string> {
  const file = join(folder, `${type}.onnx`);
  const bytes = onnxGraph({
    inputs: [['given', types[type], planes]],
    outputs: [['gives', types[type], planes]],
    nodes: [
      ['Identity', ['given'], 'given_scale'],
      ['Identity', ['given_scale'], 'gives_scale'],
      ['Identity', ['gives_scale'], 'gives'],
    ],
  });
  await writeFile(file, bytes);
  return file;
}

function port(name: string, type: NumberPort['type'] = 'float32'): NumberPort {
  return { name, type, shape: [] };
}

/** Loads it with pictures in bytes at one end. */
async function load(type: Float, name: 'given' | 'gives', range = levels): Promise<OnnxPart> {
  const part = await OnnxPart.load(await unchanged(type), {}, new Map([[name, range]]));
  after(() => part[Symbol.asyncDispose]());
  return part;
}

/** Returns what values become as the bytes of a picture, one pixel wide, and its means. */
async function drawn(part: OnnxPart, values: Float32Array): Promise<readonly [Uint8Array, Float32Array]> {
  const height = values.length / 3;
  const [data, means] = [new Uint8Array(values.length), new Float32Array(3)];
  await part.runInto(
    [{ port: port('given'), data: values, shape: [1, 3, height, 1] }],
    [
      { port: port('gives'), data, shape: [1, height, 1, 3] },
      { port: port(meanOf(inBytes('gives'))), data: means, shape: [1, 3, 1, 1] },
    ],
  );
  return [data, means];
}

for (const [type, precision] of [
  ['float32', 1e-7],
  ['float16', 5e-4],
] as const) {
  describe(`a graph in ${type}`, () => {
    it('takes the bytes of a picture as planes from -1 to 1', async () => {
      const part = await load(type, 'given');
      const data = Uint8Array.from({ length: 2 * 3 * 256 }, (_, i) =>
        i < 768 ? Math.floor(i / 3) : i % 251,
      );
      const feed = { port: port('given', 'uint8'), data, shape: [2, 16, 16, 3] };
      const values = await part.run([feed], port('gives'), [2, 3, 16, 16]);
      for (const [i, value] of values.entries()) {
        const [picture, channel, pixel] = [Math.floor(i / 768), Math.floor(i / 256) % 3, i % 256];
        const wanted = data[picture * 768 + pixel * 3 + channel] / 127.5 - 1;
        assert.ok(Math.abs(value - wanted) <= precision, `${i}: ${value}, not ${wanted}`);
      }
    });

    it('gives each byte back that it took, rounded and clamped', async () => {
      const part = await load(type, 'gives');
      const bytes = Array.from({ length: 255 }, (_, i) => i);
      const values = Float32Array.from(bytes, (value) => value / 127.5 - 1);
      const [data] = await drawn(part, values);
      const placed = bytes.map((_, i) => data[(i % 85) * 3 + Math.floor(i / 85)]);
      assert.deepEqual(placed, bytes);
      assert.deepEqual([...(await drawn(part, Float32Array.of(-1.5, 3, 0)))[0]], [0, 255, 128]);
      // Nearer to 11 than to 10 or 12.
      const near = [10.6, 11.4, 11].map((value) => value / 127.5 - 1);
      assert.deepEqual([...(await drawn(part, Float32Array.from(near)))[0]], [11, 11, 11]);
    });

    it('scales what it takes and gives by channel, and gives the first channels alone', async () => {
      const file = await unchanged(type);
      const scaling = { scale: [2, 0.5, -1], shift: [1, 0, 0.25] };
      const feed = { port: port('given'), data: Float32Array.of(1, 2, 3, 4, 5, 6), shape: [1, 3, 2, 1] };
      await using takes = await OnnxPart.load(file, {}, new Map([['given', scaling]]));
      const taken = await takes.run([feed], port('gives'), [1, 3, 2, 1]);
      assert.deepEqual([...taken], [3, 5, 1.5, 2, -4.75, -5.75]);
      const first = { scale: [2, 0.5], shift: [1, 0] };
      await using gives = await OnnxPart.load(file, {}, new Map([['gives', first]]));
      const given = await gives.run([feed], port('gives'), [1, 2, 2, 1]);
      assert.deepEqual([...given], [3, 5, 1.5, 2]);
    });

    it('tells by the means whether all values of a picture are finite', async () => {
      const part = await load(type, 'gives');
      const [, means] = await drawn(part, Float32Array.of(0.5, 0.25, -0.5, 0.5, 1, 0));
      assert.deepEqual([...means], [0.375, 0, 0.5]);
      for (const value of [NaN, Infinity, -Infinity]) {
        for (let i = 0; i < 6; i++) {
          const values = Float32Array.from({ length: 6 }, (_, k) => (k === i ? value : 0.5));
          const [, own] = await drawn(part, values);
          assert.equal(own.every(Number.isFinite), false, `${value} at ${i}`);
        }
      }
      // Opposite infinities do not cancel out.
      const [, both] = await drawn(part, Float32Array.of(Infinity, -Infinity, 0, 0, 0, 0));
      assert.equal(both.every(Number.isFinite), false);
    });
  });
}

describe('the borders of a graph', () => {
  it('are other ports of the same sizes, and the rest is as in the file', async () => {
    const file = await unchanged('float16');
    const bordered = withBorders(file, new Map([['given', levels]]));
    assert.ok(bordered);
    assert.deepEqual(Object.fromEntries(bordered.names), { given: 'given_bytes', gives: 'gives_float32' });
    const made = join(folder, 'made.onnx');
    await writeFile(made, bordered.bytes);
    const { inputs, outputs } = readSignature(made);
    assert.deepEqual(inputs, [{ name: 'given_bytes', type: 'uint8', shape: ['n', 'height', 'width', 3] }]);
    assert.deepEqual(outputs, [{ name: 'gives_float32', type: 'float32', shape: planes }]);
  });

  it('stay if they are in single precision and no pictures', async () => {
    assert.equal(withBorders(await unchanged('float32'), new Map()), null);
  });

  it('have the levels of the network', async () => {
    const part = await load('float32', 'given', { black: 0, white: 1 });
    const feed = { port: port('given', 'uint8'), data: Uint8Array.of(0, 51, 255), shape: [1, 1, 1, 3] };
    const values = await part.run([feed], port('gives'), [1, 3, 1, 1]);
    assert.deepEqual(values, Float32Array.of(0, 0.2, 1));
  });
});
