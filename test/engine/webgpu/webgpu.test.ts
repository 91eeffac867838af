import assert from 'node:assert/strict';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DoctorReport } from '../../../src/cli/doctor/report.js';
import { keptCosts, tinyModel } from '../../support/engine.js';
import { motionJpegFrames } from '../../support/frames.js';
import { repositoryRoot } from '../../support/reference.js';
import { startServerIn } from '../../support/server-process.js';
import { noSoftwareGpu, softwareGpu } from '../../support/software-gpu.js';
import { StreamClient } from '../../support/stream-client.js';

const kept = await keptCosts(8, 'webgpu');
const environment = {
  ...(noSoftwareGpu === null && (await softwareGpu())),
  MILLRACE_CACHE_DIRECTORY: kept.cacheDirectory,
};
const main = join(repositoryRoot, 'dist/src/cli/main.js');
const flags = ['--model', tinyModel, '--device', 'webgpu', '--threads', '1', '--calibration', 'kept'];
const moved =
  /the text encoder runs on the CPU, since webgpu cannot run it: .* requires f16 .* export it in another/;

function start(...args: readonly string[]): ChildProcess {
  return spawn(process.execPath, args, {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
}

/** Waits until the process has written this to its output. */
async function says({ stdout }: ChildProcess, words: string): Promise<void> {
  assert.ok(stdout);
  let written = '';
  while (!written.includes(words)) written += String((await once(stdout, 'data'))[0]);
  stdout.resume();
}

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly complaint: string;
}

/** Waits for the end of the process. Its standard error is read from the start, since it must not fill up. */
function endOf(child: ChildProcess): Promise<Ended> {
  assert.ok(child.stderr);
  const complaint = text(child.stderr);
  return new Promise((resolve) => {
    child.once(
      'exit',
      (code, signal) => void complaint.then((words) => resolve({ code, signal, complaint: words })),
    );
  });
}

const program = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

describe('WebGPU, on a device without float16', { skip: noSoftwareGpu ?? false }, () => {
  it('computes what the CPU computes, and leaves to it what it cannot run', async () => {
    const child = start(program('compare.js'));
    const ended = endOf(child);
    assert.ok(child.stdout);
    const output = await text(child.stdout);
    assert.equal((await ended).code, 0, (await ended).complaint);
    const { notes, differences } = JSON.parse(output) as {
      notes: string[];
      differences: Record<string, number>;
    };
    assert.equal(notes.length, 1);
    assert.match(notes.join(), moved);
    assert.deepEqual(Object.keys(differences), ['text', 'latent', 'predictions', 'planes']);
    assert.equal(differences['text'], 0, 'both on the CPU');
    for (const [name, share] of Object.entries(differences)) {
      assert.ok(share <= 1.6e-4, `${name} differs by ${share} of its largest value`);
    }
  });

  it('serves streams of several users, a change of prompt, and an image', async () => {
    await using server = await startServerIn({ environment }, ...flags);
    const url = `${server.url.replace('http', 'ws')}/v1/stream`;
    const [frame] = motionJpegFrames('walkers.mjpeg');
    assert.ok(frame);
    const parameters = { width: 64, height: 64, steps: 1, prompt: 'a fox' };
    await using first = await StreamClient.open(url, parameters);
    await using second = await StreamClient.open(url, { ...parameters, prompt: 'a house' });
    const answers = await Promise.all([first.generate(0, frame), second.generate(0, frame)]);
    for (const answer of answers) assert.equal(answer.type, 'result');
    first.send({ type: 'update', request: 1, parameters: { prompt: 'a river' } });
    assert.equal((await first.first('updated')).parameters.prompt, 'a river');
    assert.equal((await first.generate(1, frame)).type, 'result');
    const image = await fetch(`${server.url}/v1/txt2img`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...parameters, seed: 1 }),
    });
    assert.equal(image.status, 200, await image.clone().text());
    assert.match(image.headers.get('content-type') ?? '', /^image\//);
  });

  it('is reported by doctor, with what it cannot run', async () => {
    const child = start(main, 'doctor', '--json', ...flags);
    const ended = endOf(child);
    assert.ok(child.stdout);
    const report = JSON.parse(await text(child.stdout)) as DoctorReport;
    assert.equal((await ended).code, 0, (await ended).complaint);
    assert.equal(report.performance?.device, 'webgpu');
    assert.ok(report.checks.some(({ level, text: line }) => level === 'note' && moved.test(line)));
  });
});

describe('a first call that compiles for long', { skip: noSoftwareGpu ?? false }, () => {
  it('does not keep the server from ending by a signal', async () => {
    const child = start(
      main,
      'serve',
      '--port',
      '0',
      '--drain-seconds',
      '0',
      '--log-format',
      'json',
      ...flags,
    );
    const ended = endOf(child);
    await says(child, 'loading the U-Net');
    child.kill('SIGTERM');
    const { code, signal, complaint } = await ended;
    assert.ok(code === 0 || signal === 'SIGTERM', `${code} ${signal} ${complaint}`);
  });

  it('does not abort a command that is interrupted, nor one that is interrupted twice', async () => {
    for (const times of [1, 2]) {
      const child = start(program('start.js'), '600000');
      const ended = endOf(child);
      await says(child, 'loading the U-Net');
      for (let i = 0; i < times; i++) {
        child.kill('SIGINT');
        await new Promise((resolve) => setTimeout(resolve, 200));
      }
      const { code, signal, complaint } = await ended;
      assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal} ${complaint}`);
    }
  });

  it('does not abort a command whose engine is silent for too long', async () => {
    const child = start(program('start.js'), '1500');
    const { code, signal, complaint } = await endOf(child);
    assert.match(complaint, /millrace: the inference thread was silent for 1\.5 s while it started/);
    assert.ok(code === 1 || signal === 'SIGKILL', `${code} ${signal} ${complaint}`);
  });
});
