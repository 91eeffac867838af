import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { OnnxPart } from '../../../../src/engine/worker/networks/onnx-part.js';
import { TextEncoders } from '../../../../src/engine/worker/networks/text-encoders.js';
import { readModelFolder } from '../../../../src/model/folder.js';
import { loadTokenizer } from '../../../../src/model/tokenizer.js';
import { tinyModel } from '../../../support/engine.js';

const { layout, tokenizers, textLength, textWidth } = await readModelFolder(tinyModel);
const [text] = layout.textEncoders;
const part = await OnnxPart.load(text.graph.file, {});
const tokenizer = await loadTokenizer(tokenizers[0].folder, textLength);
const encoders = new TextEncoders([{ part, layout: text, tokenizer }], textLength, 3);
const chunk = textLength * textWidth;
after(() => part[Symbol.asyncDispose]());

const embed = async (prompt: string): Promise<Float32Array> => (await encoders.embed(prompt)).embedding;
/** 75 tokens of one letter each fill a chunk. */
const words = (count: number, first = 0): string =>
  Array.from({ length: count }, (_, i) => 'abcdefghij'[(first + i) % 10]).join(' ');

function assertClose(actual: Float32Array, wanted: ArrayLike<number>): void {
  assert.equal(actual.length, wanted.length);
  actual.forEach((value, i) =>
    assert.ok(Math.abs(value - wanted[i]) < 1e-5, `${i}: ${value}, not ${wanted[i]}`),
  );
}

describe('text encoders', () => {
  it('take a prompt of 75 tokens in one chunk, and a longer one in chunks that are encoded by themselves', async () => {
    assert.equal((await embed(words(75))).length, chunk);
    const long = await embed(words(100));
    assert.equal(long.length, 2 * chunk);
    assertClose(long.subarray(0, chunk), await embed(words(75)));
    assertClose(long.subarray(chunk), await embed(words(25, 75)));
  });

  it('cut what is longer than they may take', async () => {
    const most = await embed(words(225));
    assert.equal(most.length, 3 * chunk);
    assertClose(await embed(words(400)), most);
  });

  it('weigh the tokens of a prompt and keep its mean, chunk by chunk', async () => {
    const plain = await embed('a red fox');
    const weighed = await embed('a (red:1.5) [fox]');
    const weights = [1, 1, 1.5, 1 / 1.1];
    const wanted = plain.map((value, i) => value * (weights[Math.floor(i / textWidth)] ?? 1));
    const sum = (values: Float32Array): number => values.reduce((total, value) => total + value, 0);
    const factor = sum(plain) / sum(wanted);
    assertClose(
      weighed,
      wanted.map((value) => value * factor),
    );
    assert.notDeepEqual(weighed, plain);

    const long = await embed(`${words(75)} (a:1.5)`);
    assertClose(long.subarray(0, chunk), await embed(words(75)));
    assertClose(long.subarray(chunk), await embed('(a:1.5)'));
  });

  it('take weights of 1 for none', async () => {
    assert.deepEqual(await embed('a (red:1) fox'), await embed('a red fox'));
  });
});
