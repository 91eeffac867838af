import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { exportPython } from '../python-environment.js';
import { deviceOptions } from './options.js';

const bench = fileURLToPath(new URL('../device.bench.js', import.meta.url));
const folder = await mkdtemp(join(tmpdir(), 'millrace-device-'));
after(() => rm(folder, { recursive: true }));
const python = await exportPython();

interface Results {
  readonly isComplete: boolean;
  readonly results: Readonly<Record<string, Readonly<Record<string, unknown>>>>;
}

/** Reads the results; null if there are none yet. */
async function results(): Promise<Results | null> {
  const [model = ''] = await readdir(folder);
  try {
    return JSON.parse(await readFile(join(folder, model, 'results-cpu.json'), 'utf8')) as Results;
  } catch {
    return null;
  }
}

test(
  'a small model is measured beside torch, and a run that was cut is continued',
  {
    skip: 'missing' in python && python.missing,
  },
  async () => {
    const args = [bench, '--size', 'small', '--device', 'cpu', '--folder', folder, '--minutes', '60'];
    const cut = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit'] });
    const ended = once(cut, 'exit');
    let before = await results();
    while (before === null && cut.exitCode === null) {
      await sleep(50);
      before = await results();
    }
    cut.kill('SIGTERM');
    await ended;
    assert.ok(before, 'the first run has written results');
    assert.equal(before.isComplete, false);

    const { stdout } = await promisify(execFile)(process.execPath, args);
    assert.match(stdout, /Continues the run in .*: \d+ measurements are known/);
    const whole = await results();
    assert.ok(whole);
    assert.equal(whole.isComplete, true);
    for (const [name, result] of Object.entries(before.results))
      assert.deepEqual(whole.results[name], result);
    for (const steps of ['1 steps', '2 steps']) {
      for (const what of ['networks', 'stream', 'sequential', 'torch']) {
        const times = Object.values(whole.results[`${what}, ${steps}`] ?? {});
        const measured = times.filter((value) => typeof value === 'number');
        assert.ok(measured.length >= 3, `${what}, ${steps}: ${JSON.stringify(times)}`);
        for (const value of measured) assert.ok(value >= 0 && Number.isFinite(value), `${what}, ${steps}`);
      }
    }
    for (const users of [1, 2]) {
      const figures: Readonly<Record<string, unknown>> = whole.results[`${users} users`] ?? {};
      assert.equal(figures['served'], users);
      assert.equal((figures['each'] as readonly number[]).length, users);
      assert.ok(figures['latencyMs']);
    }
    assert.match(stdout, /One user, by steps \(beside torch .*diffusers .* on cpu\)/);
    assert.match(stdout, /^ +2 +2 +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+ +[\d.]+$/m, 'the row of two users');
  },
);

test('a device that is not there is named, and nothing is made for it', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [
    bench,
    '--device',
    'cuda:99',
    '--folder',
    join(folder, 'none'),
  ]);
  assert.match(stdout, /device: not measured\. device cuda:99: /);
  assert.ok(!(await readdir(folder)).includes('none'));
});

test('options are checked', () => {
  assert.deepEqual(deviceOptions(['--size', 'small', '--device', 'webgpu', '--minutes', '2', '--fresh']), {
    size: 'small',
    device: 'webgpu',
    folder: null,
    minutes: 2,
    isFresh: true,
    onlyPrepares: false,
  });
  assert.equal(deviceOptions([]).device, 'cuda');
  assert.throws(() => deviceOptions(['--size', 'tiny']), /--size tiny: choose full or small/);
  assert.throws(() => deviceOptions(['--minutes', '0']), /--minutes 0: choose a number above 0/);
  assert.throws(() => deviceOptions(['--minutes', '']), /choose a number above 0/);
  assert.throws(() => deviceOptions(['--steps', '3']), /--steps/);
});
