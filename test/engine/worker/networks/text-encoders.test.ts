import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { OnnxPart, type Wanted } from '../../../../src/engine/worker/networks/onnx-part.js';
import { TextEncoders, type TextEncoder } from '../../../../src/engine/worker/networks/text-encoders.js';
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

const embed = async (prompt: string): Promise<Float32Array> =>
  (await encoders.embed(prompt)).encoder_hidden_states;
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
  it('take a prompt of 75 tokens in one chunk, and a longer one in chunks that are encoded separately', async () => {
    assert.equal((await embed(words(75))).length, chunk);
    const long = await embed(words(100));
    assert.equal(long.length, 2 * chunk);
    assertClose(long.subarray(0, chunk), await embed(words(75)));
    assertClose(long.subarray(chunk), await embed(words(25, 75)));
  });

  it('cut prompts that are too long', async () => {
    const most = await embed(words(225));
    assert.equal(most.length, 3 * chunk);
    assertClose(await embed(words(400)), most);
  });

  it('weight the tokens of a prompt and keep its mean, chunk by chunk', async () => {
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

  it('treat weights of 1 as none', async () => {
    assert.deepEqual(await embed('a (red:1) fox'), await embed('a red fox'));
  });
});

describe('two text encoders', () => {
  const asked: (readonly Wanted[])[] = [];

  /**
   * Creates an encoder with two tokens a chunk, whose values are the ids times 1, 10, 100...; the pooled values are the
   * first id, negated. Ids are the lengths of words; it has no tokens for the first `skip` words.
   */
  function encoder(width: number, pooledWidth: number, skip: number): TextEncoder {
    const [port] = [text.ids];
    const pooled = pooledWidth > 0 ? { port: { ...port, name: 'whole' }, width: pooledWidth } : null;
    const chunkOf = (ids: readonly number[]): BigInt64Array<ArrayBuffer> =>
      BigInt64Array.from([ids[0] ?? 0, ids[1] ?? 0], BigInt);
    return {
      layout: { ...text, width, pooled },
      tokenizer: {
        length: 2,
        encode: () => chunkOf([]),
        count: (segments) => segments.flatMap((segment) => segment.text.split(' ')).length,
        encodeChunks(segments) {
          const words = segments.flatMap((segment) => segment.text.split(' ')).slice(skip);
          const ids = words.map(({ length }) => length);
          return [0, 2, 4]
            .filter((at) => at === 0 || at < ids.length)
            .map((at) => ({ ids: chunkOf(ids.slice(at)), weights: null }));
        },
      },
      part: {
        runFor([feed], wanted) {
          asked.push(wanted);
          const ids = Array.from(feed?.data ?? [], Number);
          assert.deepEqual(feed?.shape, [1, 2]);
          const states = ids.flatMap((id) => Array.from({ length: width }, (_, i) => id * 10 ** i));
          const whole = Float32Array.from({ length: pooledWidth }, () => -(ids[0] ?? 0));
          return Promise.resolve([Float32Array.from(states), ...(pooledWidth > 0 ? [whole] : [])]);
        },
      },
    };
  }

  it('have their embeddings joined, with an empty text where the other prompt is longer', async () => {
    for (const [skips, first, second] of [
      [
        [0, 0],
        [1, 2, 3],
        [1, 2, 3],
      ],
      [[0, 2], [1, 2, 3], [3]],
      [[2, 0], [3], [1, 2, 3]],
    ] as const) {
      const own = new TextEncoders([encoder(2, 0, skips[0]), encoder(1, 3, skips[1])], 2, 3);
      const { encoder_hidden_states: embedding, text_embeds: pooled } = await own.embed('a bb ccc');
      const row = (i: number): readonly number[] => [first[i] ?? 0, 10 * (first[i] ?? 0), second[i] ?? 0];
      assert.deepEqual([...embedding], [0, 1, 2, 3].flatMap(row), skips.join());
      assert.deepEqual(pooled, new Float32Array(3).fill(-second[0]), 'of the first chunk');
    }
  });

  it('are run for their tokens, and for the pooled embedding if the model uses it', async () => {
    const pooling = encoder(1, 3, 0);
    asked.length = 0;
    await new TextEncoders([encoder(2, 0, 0), pooling], 2, 3).embed('a bb');
    const { embedding, pooled } = pooling.layout;
    assert.deepEqual(asked, [
      [{ port: embedding, shape: [1, 2, 2] }],
      [
        { port: embedding, shape: [1, 2, 1] },
        { port: pooled?.port, shape: [1, 3] },
      ],
    ]);
    const alone = await new TextEncoders([encoder(2, 0, 0)], 2, 3).embed('a');
    assert.deepEqual(alone, { encoder_hidden_states: Float32Array.of(1, 10, 0, 0) });
  });
});
