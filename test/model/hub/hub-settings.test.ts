import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { isHubId, parseHubId } from '../../../src/model/hub/hub-id.js';
import { readHubSettings } from '../../../src/model/hub/hub-settings.js';
import { modelName } from '../../../src/model/model-name.js';

describe('readHubSettings', () => {
  it('puts the cache where the tools of the hub have it', () => {
    const cache = (environment: Record<string, string>): string => readHubSettings(environment).cache;
    assert.equal(cache({}), join(homedir(), '.cache/huggingface/hub'));
    assert.equal(cache({ XDG_CACHE_HOME: '/x' }), '/x/huggingface/hub');
    assert.equal(cache({ XDG_CACHE_HOME: '/x', HF_HOME: '~/h' }), join(homedir(), 'h/hub'));
    assert.equal(cache({ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old' }), '/old');
    assert.equal(cache({ HF_HOME: '/h', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/c' }), '/c');
  });

  it('takes the token from the environment, or else from the file', async () => {
    const home = await mkdtemp(join(tmpdir(), 'millrace-hub-'));
    try {
      assert.equal(readHubSettings({ HF_HOME: home }).token, null);
      const file = join(home, 'token');
      await writeFile(file, ' hf_file\n');
      assert.deepEqual(readHubSettings({ HF_HOME: home }).token, { value: 'hf_file', source: file });
      const named = readHubSettings({ HF_HOME: '/nowhere', HF_TOKEN_PATH: file, HF_TOKEN: ' ' });
      assert.deepEqual(named.token, { value: 'hf_file', source: file });
      const given = readHubSettings({ HF_HOME: home, HF_TOKEN: 'hf_given' });
      assert.deepEqual(given.token, { value: 'hf_given', source: 'HF_TOKEN' });
    } finally {
      await rm(home, { recursive: true });
    }
  });

  it('reads the other settings', () => {
    const { endpoint, offline, timeout } = readHubSettings({});
    assert.match(endpoint, /^https:\/\/[\w.]+$/);
    assert.deepEqual([offline, timeout], [false, 30_000]);
    const other = readHubSettings({
      HF_ENDPOINT: 'http://hub.test/base/',
      HF_HUB_OFFLINE: 'TRUE',
      HF_HUB_DOWNLOAD_TIMEOUT: '5',
    });
    assert.deepEqual([other.endpoint, other.offline, other.timeout], ['http://hub.test/base', true, 5000]);
    assert.throws(() => readHubSettings({ HF_ENDPOINT: 'ftp://hub.test' }), /HF_ENDPOINT is "ftp/);
    assert.throws(() => readHubSettings({ HF_HUB_DOWNLOAD_TIMEOUT: '0' }), /a number of seconds above 0/);
  });
});

describe('ids of models', () => {
  it('have an organisation, a name and an optional revision', () => {
    assert.deepEqual(parseHubId('studio/tiny-1.5_x'), { repo: 'studio/tiny-1.5_x', revision: 'main' });
    assert.deepEqual(parseHubId('studio/tiny@v1.0'), { repo: 'studio/tiny', revision: 'v1.0' });
    assert.deepEqual(parseHubId('a/b', 'refs/pr/7'), { repo: 'a/b', revision: 'refs/pr/7' });
    assert.deepEqual(parseHubId('a/b@x', 'x').revision, 'x');
  });

  it('are not paths', () => {
    const paths = [
      'tiny',
      './tiny',
      '../a/b',
      '/a/b',
      'a/b/c',
      'a\\b',
      'a/..',
      'a/b--c',
      '-a/b',
      'a/b.',
      '',
      'a b/c',
    ];
    for (const text of paths) {
      assert.ok(!isHubId(text), text);
      assert.throws(() => parseHubId(text), /is not a model id; give organisation\/name/);
    }
  });

  it('reject a revision that leads out of its folder', () => {
    for (const revision of [
      '../x',
      'a/../b',
      '/x',
      'x/',
      'a//b',
      '.x',
      'a/.x',
      'x.',
      '',
      '-x',
      'a b',
      'a\\b',
    ]) {
      assert.throws(() => parseHubId('a/b', revision), /is not a revision/, revision);
    }
  });

  it('are restored from the path of a model', () => {
    const commit = 'c0ffee00c0ffee00c0ffee00c0ffee00c0ffee00';
    assert.equal(modelName(`/cache/models--studio--tiny/snapshots/${commit}`), 'studio/tiny');
    assert.equal(modelName('/models/tiny'), 'tiny');
  });
});
