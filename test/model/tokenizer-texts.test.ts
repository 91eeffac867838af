import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { referenceModel, repositoryRoot } from '../support/reference.js';
import { TemporaryTokenizer } from './temporary-tokenizer.js';

/** Texts in all scripts, with checksums of CLIPTokenizer's ids (see make.py in the folder). */
const folder = join(repositoryRoot, 'test/fixtures/tokenizer');
const texts = JSON.parse(gunzipSync(await readFile(join(folder, 'texts.json.gz'))).toString()) as string[];
const checksums = await readFile(join(folder, 'checksums.bin'));

describe('the tokenizer on 10,000 texts', () => {
  const paddings = ['<|endoftext|>', '!'];
  for (const [index, padding] of paddings.entries()) {
    it(`returns the ids of CLIPTokenizer, padded with ${padding}`, async () => {
      await using copy = await TemporaryTokenizer.of(join(referenceModel(), 'tokenizer'), padding);
      const tokenizer = await loadTokenizer(copy.folder, 77);
      assert.equal(texts.length, 10_000);
      assert.equal(checksums.length, texts.length * paddings.length * 4);
      const different = texts.filter((text, row) => {
        const hash = createHash('sha256').update(tokenizer.encode(text).join()).digest();
        return hash.readUInt32BE(0) !== checksums.readUInt32BE((row * paddings.length + index) * 4);
      });
      assert.deepEqual(different, []);
    });
  }
});
