import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import {
  InputScratch,
  numbersFor,
  OnnxPart,
  Scratch,
  writeNumbers,
  type Feed,
  type Numbers,
} from '../../../../src/engine/worker/networks/onnx-part.js';
import { volume } from '../../../../src/engine/worker/networks/sizes.js';
import { ModelError } from '../../../../src/model/model-error.js';
import type { NumberPort } from '../../../../src/model/layout/ports.js';
import { integer, message, text } from '../../../support/onnx-graph.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-part-'));
after(() => rm(folder, { recursive: true }));

const types = { float32: 1, uint8: 2, int32: 6, int64: 7, float16: 10 } as const;
const port = (name: string, type: NumberPort['type']): NumberPort => ({ name, type, shape: ['n'] });
const inputs = [port('f', 'float32'), port('h', 'float16'), port('i', 'int32'), port('l', 'int64')];
const twice = port('twice', 'float32');
const half = port('half', 'float16');
const ints = port('ints', 'float32');
const longs = port('longs', 'float32');
const size = port('size', 'int64');

/** Builds a graph that doubles floats of either precision, and returns integers as floats, and the length. */
function graph(): Buffer {
  const node = (operation: string, given: readonly string[], result: string): number[] =>
    message(1, [
      ...given.flatMap((name) => text(1, name)),
      ...text(2, result),
      ...text(4, operation),
      ...(operation === 'Cast' ? message(5, [...text(1, 'to'), ...integer(3, 1), ...integer(20, 2)]) : []),
    ]);
  const value = ({ name, type }: NumberPort): number[] => {
    const tensor = [...integer(1, types[type]), ...message(2, message(1, text(2, 'n')))];
    return [...text(1, name), ...message(2, message(1, tensor))];
  };
  const parts = [
    ...node('Add', ['f', 'f'], 'twice'),
    ...node('Add', ['h', 'h'], 'half'),
    ...node('Cast', ['i'], 'ints'),
    ...node('Cast', ['l'], 'longs'),
    ...node('Shape', ['f'], 'size'),
    ...text(2, 'by hand'),
    ...inputs.flatMap((input) => message(11, value(input))),
    ...[twice, half, ints, longs, size].flatMap((output) => message(12, value(output))),
  ];
  return Buffer.from([...integer(1, 8), ...message(7, parts), ...message(8, integer(2, 16))]);
}

const file = join(folder, 'graph.onnx');
await writeFile(file, graph());
const part = await OnnxPart.load(file, {});
after(() => part[Symbol.asyncDispose]());

/** Returns the same numbers for all inputs. */
function feeds(...values: readonly number[]): Feed[] {
  return inputs.map((input) => ({ port: input, data: numbersFor(input, values), shape: [values.length] }));
}

describe('a network', () => {
  it('takes and returns numbers in the types of its ports', async () => {
    assert.deepEqual(await part.run(feeds(1, -2.25, 3), twice, [3]), Float32Array.of(2, -4.5, 6));
    const results = await part.runFor(feeds(7, -9), [
      { port: longs, shape: [2] },
      { port: half, shape: [2] },
      { port: ints, shape: [2] },
    ]);
    assert.deepEqual(results, [Float32Array.of(7, -9), Float32Array.of(14, -18), Float32Array.of(7, -9)]);
  });

  it('returns an output whose shape only the run tells, in the type of its port and in new memory', async () => {
    const first = await part.runOpen(feeds(1, -2.25, 3), twice);
    assert.deepEqual(first, { data: Float32Array.of(2, -4.5, 6), shape: [3] });
    assert.deepEqual(await part.runOpen(feeds(0.5), half), { data: Float32Array.of(1), shape: [1] });
    // The shape of the floats.
    assert.deepEqual(await part.runOpen(feeds(7, 8), size), { data: BigInt64Array.of(2n), shape: [1] });
    await part.runOpen(feeds(9, 9, 9), twice);
    assert.deepEqual(first.data, Float32Array.of(2, -4.5, 6));
  });

  it('takes and gives single precision at a port in half precision', async () => {
    // The CPU computes in single precision: there the value is not rounded to a half.
    const [value] = await part.run(feeds(0.1), half, [1]);
    assert.ok(Math.abs(value - 0.2) < 1e-4, `${value}`);
    // Smaller and larger than before.
    assert.deepEqual(await part.run(feeds(3), half, [1]), Float32Array.of(6));
    assert.deepEqual(await part.run(feeds(1, 2, 3, 4, 5), half, [5]), Float32Array.of(2, 4, 6, 8, 10));
  });

  it('returns each output in its own memory, which the next run reuses', async () => {
    const first = await part.run(feeds(1, 2), twice, [2]);
    const [other] = await part.runFor(feeds(3, 4), [{ port: longs, shape: [2] }]);
    assert.deepEqual(first, Float32Array.of(2, 4));
    assert.notEqual(other.buffer, first.buffer);
    const second = await part.run(feeds(5, 6), twice, [2]);
    assert.equal(second.buffer, first.buffer);
    assert.deepEqual(first, Float32Array.of(10, 12));
  });

  it('returns whether it accepts inputs, and prints nothing', async () => {
    assert.equal(await part.accepts(feeds(1)), true);
    const [one, ...others] = feeds(1);
    assert.equal(await part.accepts([{ ...one, shape: [1, 1] }, ...others]), false);
    assert.equal(await part.accepts(others), false);
    const program = `
      const { OnnxPart } = await import(${JSON.stringify(new URL('../../../../src/engine/worker/networks/onnx-part.js', import.meta.url))});
      const part = await OnnxPart.load(${JSON.stringify(join(folder, 'divides.onnx'))}, {});
      const data = Int32Array.of(1, 2, 3);
      const port = { name: 'i', type: 'int32', shape: [] };
      console.log(await part.accepts([{ port, data, shape: [3] }]));`;
    await writeFile(join(folder, 'divides.onnx'), reshaping());
    const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '--eval', program], {
      encoding: 'utf8',
    });
    assert.deepEqual([stdout.trim(), stderr], ['false', '']);
  });

  it('cannot be loaded from a file that is not a graph, and names the file', async () => {
    const broken = join(folder, 'broken.onnx');
    await writeFile(broken, 'no graph');
    await assert.rejects(OnnxPart.load(broken, {}), (error) => {
      assert.ok(error instanceof ModelError);
      assert.match(error.message, /broken\.onnx: cannot be loaded: \S.*\S$/s);
      assert.ok(error.cause instanceof Error);
      return true;
    });
  });

  it('does nothing after it was released', async () => {
    const own = await OnnxPart.load(file, {});
    await own[Symbol.asyncDispose]();
    await assert.rejects(own.run(feeds(1), twice, [1]));
  });
});

/** Builds a graph that fails as it runs: three numbers cannot have two columns. */
function reshaping(): Buffer {
  const value = (name: string, dimensions: readonly string[]): number[] => {
    const shape = dimensions.flatMap((dimension) => message(1, text(2, dimension)));
    return [...text(1, name), ...message(2, message(1, [...integer(1, 6), ...message(2, shape)]))];
  };
  const sizes = [...new Uint8Array(BigInt64Array.of(-1n, 2n).buffer)];
  const parts = [
    ...message(1, [...text(1, 'i'), ...text(1, 'sizes'), ...text(2, 'o'), ...text(4, 'Reshape')]),
    ...text(2, 'by hand'),
    ...message(5, [...integer(1, 2), ...integer(2, 7), ...text(8, 'sizes'), ...message(9, sizes)]),
    ...message(11, value('i', ['n'])),
    ...message(12, value('o', ['a', 'b'])),
  ];
  return Buffer.from([...integer(1, 8), ...message(7, parts), ...message(8, integer(2, 16))]);
}

it('scratch memory grows to the largest size that was requested', () => {
  const scratch = new Scratch();
  assert.equal(scratch.take(0).length, 0);
  const four = scratch.take(4);
  assert.equal(four.length, 4);
  four.set([1, 2, 3, 4]);
  assert.equal(scratch.take(4).buffer, four.buffer);
  assert.deepEqual(scratch.take(2), Float32Array.of(1, 2));
  assert.equal(scratch.take(2).buffer, four.buffer);
  assert.equal(scratch.take(5).length, 5);
  assert.notEqual(scratch.take(5).buffer, four.buffer);
});

it('memory for an input has the type of its port, and rows are written at their places in it', () => {
  const written = (type: NumberPort['type']): Numbers => {
    const scratch = new InputScratch(port('', type));
    const three = scratch.take(3);
    writeNumbers(three, [1, 2.6, 3], 0);
    assert.equal(scratch.take(2).buffer, three.buffer);
    writeNumbers(three, [-0.6], 2);
    return three;
  };
  assert.deepEqual(written('int64'), BigInt64Array.of(1n, 3n, -1n));
  assert.deepEqual(written('int32'), Int32Array.of(1, 3, -1));
  for (const type of ['float32', 'float16'] as const) {
    assert.deepEqual(written(type), Float32Array.of(1, 2.6, -0.6));
  }
});

it('numbers are converted to the type of the port, rounded to the nearest if it takes integers', () => {
  assert.deepEqual(numbersFor(port('', 'int64'), [1.5, -1.4, 2.4]), BigInt64Array.of(2n, -1n, 2n));
  assert.deepEqual(numbersFor(port('', 'int32'), [1.5, -1.4, 2.4]), Int32Array.of(2, -1, 2));
  for (const type of ['float32', 'float16'] as const) {
    assert.deepEqual(numbersFor(port('', type), [1.5, -1.25]), Float32Array.of(1.5, -1.25));
  }
});

it('the volume of a shape is the product of its sides', () => {
  assert.equal(volume([2, 3, 5]), 30);
  assert.equal(volume([]), 1);
});
