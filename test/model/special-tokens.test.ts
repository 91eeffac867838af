import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { ModelError } from '../../src/model/model-error.js';
import { loadTokenizer } from '../../src/model/tokenizer.js';
import { repositoryRoot } from '../support/reference.js';
import { embeddedModel } from './model-copy.js';

interface Recorded {
  readonly length: number;
  readonly texts: readonly string[];
  readonly cases: readonly {
    readonly name: string;
    readonly files: Readonly<Record<string, object>>;
    /** The ids from CLIPTokenizer of transformers, for each text. */
    readonly ids: readonly (readonly number[])[];
  }[];
}

/** Made by special_tokens.py next to it. */
const recorded = JSON.parse(
  gunzipSync(
    await readFile(join(repositoryRoot, 'test/fixtures/tokenizer/special-tokens.json.gz')),
  ).toString(),
) as Recorded;
const source = join(embeddedModel, 'tokenizer');
const vocab = JSON.parse(await readFile(join(source, 'vocab.json'), 'utf8')) as object;
const merges = (await readFile(join(source, 'merges.txt'), 'utf8')).trim().split('\n').slice(1);

/** Calls `use` with a tokenizer folder of these JSON files and the vocabulary of the embedded model. */
async function withFolder<T>(
  files: Readonly<Record<string, object>>,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-tokens-'));
  try {
    for (const file of ['vocab.json', 'merges.txt']) await symlink(join(source, file), join(folder, file));
    for (const [file, content] of Object.entries(files)) {
      const whole = file === 'tokenizer.json' ? { model: { type: 'BPE', vocab, merges } } : {};
      await writeFile(join(folder, file), JSON.stringify({ ...content, ...whole }));
    }
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('special tokens', () => {
  it('match those of CLIPTokenizer, whichever file names them', async () => {
    assert.ok(recorded.cases.length > 100);
    for (const { name, files, ids } of recorded.cases) {
      const tokenizer = await withFolder(files, (folder) => loadTokenizer(folder, recorded.length));
      for (const [i, text] of recorded.texts.entries()) {
        assert.deepEqual(Array.from(tokenizer.encode(text), Number), ids[i], `${name}: ${text}`);
      }
    }
  });

  it('are read from special_tokens_map.json, which Stable Diffusion 2 relies on', async () => {
    const config = { tokenizer_class: 'CLIPTokenizer', pad_token: '<|endoftext|>', model_max_length: 77 };
    const files = { 'tokenizer_config.json': config, 'special_tokens_map.json': { pad_token: '!' } };
    const ids = await withFolder(files, async (folder) => (await loadTokenizer(folder, 77)).encode('neon'));
    assert.deepEqual(Array.from(ids.slice(2, 5), Number), [2047, 0, 0]);
  });

  it('without an embedding in the text encoder are refused at load time', async () => {
    const files = { 'added_tokens.json': { '<cat-toy>': 8048 } };
    await withFolder(files, async (folder) => {
      await assert.rejects(loadTokenizer(folder, 77, 8048), (error) => {
        assert.ok(error instanceof ModelError);
        assert.match(error.message, /the token <cat-toy> has the id 8048, but the text encoder knows 8048/);
        return true;
      });
      assert.equal((await loadTokenizer(folder, 77, 8049)).encode('<cat-toy>')[1], 8048n);
    });
  });

  it('with padding on the left are refused, since it would shift every position', async () => {
    await withFolder({ 'tokenizer_config.json': { padding_side: 'left' } }, async (folder) => {
      await assert.rejects(loadTokenizer(folder, 77), /field padding_side must be equal to one of/);
    });
  });
});
