import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { countPlainAttention, hasFusedAttention } from '../../../src/model/onnx/attention.js';
import { onnxGraph, type GraphNode } from '../../support/onnx-graph.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-onnx-'));
after(() => rm(folder, { recursive: true }));

async function count(...nodes: readonly GraphNode[]): Promise<number> {
  const file = join(folder, 'model.onnx');
  await writeFile(file, onnxGraph({ inputs: [], outputs: [], nodes }));
  return countPlainAttention(file);
}

const softmax: GraphNode = ['Softmax', ['scores'], 'shares'];

it('plain attention is a product that takes the result of a softmax, also when it is converted', async () => {
  assert.equal(await count(softmax, ['MatMul', ['shares', 'values'], 'out']), 1);
  assert.equal(await count(softmax, ['Cast', ['shares'], 'half'], ['MatMul', ['half', 'values'], 'out']), 1);
  assert.equal(
    await count(softmax, ['MatMul', ['shares', 'a'], 'out'], ['MatMul', ['shares', 'b'], 'other']),
    2,
  );
});

it('other products and softmaxes are none', async () => {
  assert.equal(await count(softmax, ['Mul', ['shares', 'values'], 'out']), 0);
  assert.equal(await count(softmax, ['MatMul', ['values', 'shares'], 'out']), 0);
  assert.equal(await count(['Relu', ['scores'], 'shares'], ['MatMul', ['shares', 'values'], 'out']), 0);
});

it('fused attention is one operator', async () => {
  const file = join(folder, 'fused.onnx');
  for (const [operation, expected] of [
    ['MultiHeadAttention', true],
    ['MatMul', false],
  ] as const) {
    await writeFile(
      file,
      onnxGraph({ inputs: [], outputs: [], nodes: [[operation, ['a', 'b', 'c'], 'out']] }),
    );
    assert.equal(hasFusedAttention(file), expected);
  }
});
