import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, it } from 'node:test';
import { createApiKey, readApiKeys } from '../../../src/session/access/api-keys.js';

const folder = await mkdtemp(join(tmpdir(), 'millrace-keys-'));
after(() => rm(folder, { recursive: true }));
const file = join(folder, 'keys.json');

async function read(entries: unknown): ReturnType<typeof readApiKeys> {
  await writeFile(file, JSON.stringify(entries));
  return readApiKeys(file);
}

it('a new key is long and random, and the file holds its digest', () => {
  const { key, entry } = createApiKey('ann', {});
  assert.match(key, /^mr_[\w-]{43}$/);
  assert.notEqual(createApiKey('ann', {}).key, key);
  assert.deepEqual(entry, { name: 'ann', sha256: createHash('sha256').update(key).digest('hex') });
  assert.deepEqual(createApiKey('bob', { fps: 2 }).entry.limits, { fps: 2 });
});

it('a key is found by its digest in upper or lower case, with its name and limits', async () => {
  const [ann, bob] = [createApiKey('ann', {}), createApiKey('bob', { fps: 2 })];
  const find = await read([ann.entry, { ...bob.entry, sha256: bob.entry.sha256.toUpperCase() }]);
  assert.deepEqual(find(ann.key), { subject: 'key:ann', expires: null, limits: {} });
  assert.deepEqual(find(bob.key), { subject: 'key:bob', expires: null, limits: { fps: 2 } });
  for (const wrong of ['', 'mr_', `${ann.key}x`, ann.entry.sha256]) assert.equal(find(wrong), null);
});

it('an unusable file is named, with its fault', async () => {
  const { entry } = createApiKey('ann', {});
  for (const [entries, message] of [
    [{}, 'it must be a list'],
    [[null], 'each key must be an object'],
    [['text'], 'each key must be an object'],
    [[{ sha256: entry.sha256 }], 'each key must have a name'],
    [[{ ...entry, name: '' }], 'each key must have a name'],
    [[{ ...entry, name: 3 }], 'each key must have a name'],
    [[{ name: 'ann' }], 'sha256 of ann must be 64 hexadecimal digits'],
    [[{ ...entry, sha256: entry.sha256.slice(1) }], 'sha256 of ann must be 64 hexadecimal digits'],
    [[{ ...entry, sha256: `${entry.sha256}0` }], 'sha256 of ann must be 64 hexadecimal digits'],
    [[{ ...entry, sha256: ['0'.repeat(64)] }], 'sha256 of ann must be 64 hexadecimal digits'],
    [[{ ...entry, limits: { fps: 0 } }], 'the limit fps must be a number above 0'],
  ] as const) {
    await assert.rejects(read(entries), { name: 'ApiKeyError', message: `${file}: ${message}` });
  }
  await assert.rejects(readApiKeys(join(folder, 'none.json')), {
    name: 'ApiKeyError',
    message: /none\.json: /,
  });
});
