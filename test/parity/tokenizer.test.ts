import assert from 'node:assert/strict';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { readReferenceJson, referenceCases, referenceModel } from '../support/reference.js';

/** Texts with the ids from implementations of CLIPTokenizer; matching any of them is enough. */
interface TokenizerCase {
  readonly length: number;
  readonly pad: number;
  readonly rows: readonly {
    readonly text: string;
    readonly ids: readonly number[];
    readonly ids_basic?: readonly number[];
    readonly ids_fast?: readonly number[];
  }[];
}

for (const { name, json } of referenceCases('goldens')) {
  const info = await readReferenceJson(json);
  if (!isTokenizerCase(info)) continue;
  const { length, pad, rows } = info;
  const tokenizer = await loadTokenizer(join(referenceModel(), 'tokenizer'), length);

  describe(name, () => {
    for (const { text, ids, ids_basic, ids_fast } of rows) {
      it(`${name}: ${JSON.stringify(text)}`, () => {
        const got = Array.from(tokenizer.encode(text), Number);
        const wanted = [ids, ids_basic, ids_fast]
          .filter((row) => row !== undefined)
          .map((row) => row.concat(Array<number>(length - row.length).fill(pad)));
        assert.ok(
          wanted.some((row) => row.join() === got.join()),
          `${got.join(' ')}\nis none of\n${wanted.map((row) => row.join(' ')).join('\n')}`,
        );
      });
    }
  });
}

function isTokenizerCase(info: unknown): info is TokenizerCase {
  return typeof info === 'object' && info !== null && 'rows' in info && 'pad' in info;
}
