import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { it } from 'node:test';
import { tinyModel } from '../support/engine.js';
import { repositoryRoot } from '../support/reference.js';

it('ONNX Runtime sends no telemetry and does not even create a device id', async () => {
  const home = await mkdtemp(join(tmpdir(), 'millrace-home-'));
  try {
    const env: NodeJS.ProcessEnv = { ...process.env, HOME: home, XDG_CACHE_HOME: '' };
    delete env['ORT_DISABLE_TELEMETRY'];
    const program = `(async () => {
      const { createEngine } = await import('./dist/src/engine/host/supervisor.js');
      const observer = { onState() {}, onEvent() {}, onNote() {} };
      const options = { model: process.argv[1], threads: 1, cacheDirectory: null, device: 'cpu', observer };
      const engine = createEngine(options);
      await engine.start();
      await engine[Symbol.asyncDispose]();
    })()`;
    const args = ['--eval', program, tinyModel];
    const { status, stderr } = spawnSync(process.execPath, args, {
      cwd: repositoryRoot,
      env,
      encoding: 'utf8',
    });
    assert.equal(status, 0, stderr);
    assert.doesNotMatch(stderr, /telemetry/i);
    assert.deepEqual(await readdir(home, { recursive: true }), []);
  } finally {
    await rm(home, { recursive: true });
  }
});
