import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ModelError } from '../../src/model/model-error.js';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { referenceModel } from '../support/reference.js';
import { embeddedModel, ModelCopy } from './model-copy.js';
import { cases } from '../support/properties.js';

const start = 49406n;
const end = 49407n;
const clip = await loadTokenizer(join(referenceModel(), 'tokenizer'), 77);
const own = await loadTokenizer(join(embeddedModel, 'tokenizer'), 77);

describe('a tokenizer', () => {
  it('puts a text between start and end and pads it', () => {
    assert.equal(clip.length, 77);
    const ids = clip.encode('a photo of a cat');
    assert.deepEqual(ids.slice(0, 8), BigInt64Array.of(start, 320n, 1125n, 539n, 320n, 2368n, end, end));
    assert.equal(ids.length, 77);
  });

  it('truncates a long text but keeps its end token', () => {
    const ids = clip.encode('cat '.repeat(500));
    assert.equal(ids.length, 77);
    assert.deepEqual([...new Set(ids.slice(1, 76))], [2368n]);
    assert.equal(ids[76], end);
  });

  it('returns rows of equal length between start and end for any string', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 300 }),
      fc.string({ unit: 'grapheme', maxLength: 100 }),
      // Halves of surrogate pairs and control characters.
      fc
        .array(fc.integer({ min: 0, max: 0xffff }), { maxLength: 100 })
        .map((codes) => String.fromCharCode(...codes)),
    );
    for (const [tokenizer, first, last, vocabulary] of [
      [clip, start, end, 49408n],
      // The embedded model has tokens for common words behind the special ones.
      [own, 2046n, 2047n, 8048n],
    ] as const) {
      fc.assert(
        fc.property(any, (text) => {
          const ids = tokenizer.encode(text);
          assert.equal(ids.length, 77);
          assert.equal(ids[0], first);
          assert.equal(ids[76], last);
          for (const id of ids) assert.ok(id >= 0n && id < vocabulary);
        }),
        { numRuns: cases(200) },
      );
    }
  });

  it('treats upper and lower case, and composed and decomposed letters, alike', () => {
    assert.deepEqual(clip.encode('VAN Gogh'), clip.encode('van gogh'));
    assert.deepEqual(clip.encode('cafe\u0301'), clip.encode('caf\u00e9'));
  });

  it('collapses Unicode white space, which includes a next-line mark but not a byte-order mark', () => {
    assert.deepEqual(clip.encode(' a\t\u0085\u3000 b\n'), clip.encode('a b'));
    assert.notDeepEqual(clip.encode('a\ufeffb'), clip.encode('a b'));
  });

  it('reads half a surrogate pair as the replacement character', () => {
    assert.deepEqual(clip.encode('a\ud83db'), clip.encode('a\ufffdb'));
  });

  it('recognises special tokens inside a text', () => {
    assert.deepEqual(
      clip.encode('<|startoftext|>cat').slice(0, 4),
      BigInt64Array.of(start, start, 2368n, end),
    );
  });

  it('splits a long text into chunks with a start and an end each, with matching weights', () => {
    const cat = 2368n;
    const text = (words: number, weight = 1) => ({ text: 'cat '.repeat(words), weight });
    const [first, second, ...more] = clip.encodeChunks([text(70), text(10, 1.5)], 4);
    assert.ok(first && second && more.length === 0);
    assert.deepEqual(first.ids, clip.encode('cat '.repeat(75)));
    assert.deepEqual(second.ids, clip.encode('cat '.repeat(5)));
    const weights = (of: typeof first): readonly number[] => [...(of.weights ?? [])];
    assert.deepEqual(weights(first), [1, ...Array<number>(70).fill(1), ...Array<number>(5).fill(1.5), 1]);
    assert.deepEqual(weights(second), [1, ...Array<number>(5).fill(1.5), ...Array<number>(71).fill(1)]);
    assert.equal(clip.encodeChunks([text(70), text(10, 1.5)], 1).length, 1);
    assert.deepEqual(clip.encodeChunks([], 4), [{ ids: clip.encode(''), weights: null }]);
    assert.deepEqual(clip.encodeChunks([text(75)], 4), [{ ids: clip.encode(text(75).text), weights: null }]);
    const ids = clip.encodeChunks([text(300)], 9).flatMap(({ ids }) => Array.from(ids));
    assert.equal(ids.filter((id) => id === cat).length, 300);
  });

  it('never returns more ids than the text encoder accepts', async () => {
    const short = await loadTokenizer(join(embeddedModel, 'tokenizer'), 16);
    assert.equal(short.encode('a very long prompt '.repeat(20)).length, 16);
  });
});

describe('loadTokenizer', () => {
  it('pads with the pad token of its folder, and recognises it in a text', async () => {
    await using copy = await ModelCopy.create();
    await copy.edit('tokenizer/tokenizer_config.json', { pad_token: '!' });
    const tokenizer = await loadTokenizer(join(copy.folder, 'tokenizer'), 77);
    const vocab = JSON.parse(await readFile(join(embeddedModel, 'tokenizer/vocab.json'), 'utf8')) as Record<
      string,
      number
    >;
    const pad = BigInt(vocab['!']);
    const ids = tokenizer.encode('neon!');
    const neon = own.encode('neon')[1] ?? 0n;
    assert.deepEqual(ids.slice(0, 6), BigInt64Array.of(2046n, neon, pad, 2047n, pad, pad));
    assert.equal(ids[76], pad);
  });

  it('reads tokenizer.json if the two other files are missing', async () => {
    await using copy = await ModelCopy.create();
    const read = async (file: string): Promise<string> =>
      readFile(join(embeddedModel, 'tokenizer', file), 'utf8');
    const vocab = JSON.parse(await read('vocab.json')) as object;
    const merges = (await read('merges.txt')).trim().split('\n').slice(1);
    await copy.remove('tokenizer/vocab.json');
    await copy.remove('tokenizer/merges.txt');
    for (const list of [merges, merges.map((merge) => merge.split(' '))]) {
      const model = { type: 'BPE', vocab, merges: list };
      await copy.write('tokenizer/tokenizer.json', JSON.stringify({ model }));
      const tokenizer = await loadTokenizer(join(copy.folder, 'tokenizer'), 77);
      const text = 'a van gogh painting of a street, warm colors';
      assert.deepEqual(tokenizer.encode(text), own.encode(text));
    }
  });

  const faults: readonly [string, (copy: ModelCopy) => Promise<void>, string, RegExp][] = [
    ['no folder', (copy) => copy.remove('tokenizer'), 'vocab.json', /no such file/],
    ['no vocabulary', (copy) => copy.remove('tokenizer/vocab.json'), 'vocab.json', /no such file/],
    ['no merges', (copy) => copy.remove('tokenizer/merges.txt'), 'merges.txt', /no such file/],
    [
      'a broken vocabulary',
      (copy) => copy.write('tokenizer/vocab.json', '{"a": "b"}'),
      'vocab.json',
      /field a must be integer/,
    ],
    [
      'broken merges',
      (copy) => copy.write('tokenizer/merges.txt', 'a b\na b c\n'),
      'merges.txt',
      /the merge "a b c" is not a pair/,
    ],
    [
      'an unknown token',
      (copy) => copy.edit('tokenizer/tokenizer_config.json', { pad_token: '<pad>' }),
      '',
      /names the token <pad>, which is not in .*vocab\.json/,
    ],
    [
      'another kind of tokenizer',
      (copy) => copy.edit('tokenizer/tokenizer_config.json', { tokenizer_class: 'T5Tokenizer' }),
      'tokenizer_config.json',
      /field tokenizer_class must be equal to one of the allowed values/,
    ],
  ];
  for (const [what, spoil, file, message] of faults) {
    it(`names the file and what is wrong: ${what}`, async () => {
      await using copy = await ModelCopy.create();
      await spoil(copy);
      await assert.rejects(loadTokenizer(join(copy.folder, 'tokenizer'), 77), (error) => {
        assert.ok(error instanceof ModelError);
        assert.equal(error.path, join(copy.folder, 'tokenizer', file));
        assert.match(error.message, message);
        return true;
      });
    });
  }
});
