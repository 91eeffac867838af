import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { DoctorReport } from '../../../src/cli/doctor/report.js';
import { start, startMillrace, type Started } from '../../support/command.js';
import { keptCosts, tinyModel } from '../../support/engine.js';
import { motionJpegFrames } from '../../support/frames.js';
import { startServerIn } from '../../support/server-process.js';
import { noSoftwareGpu, softwareGpu } from '../../support/software-gpu.js';
import { StreamClient } from '../../support/stream-client.js';
import { assertParity, moved } from './parity.js';
import { smallModel } from './small-model.js';

const model = await smallModel();
const kept = await keptCosts(8, { model, device: 'webgpu' });
const environment = {
  ...(noSoftwareGpu === null && (await softwareGpu())),
  MILLRACE_CACHE_DIRECTORY: kept.cacheDirectory,
};
const flags = ['--device', 'webgpu', '--threads', '1', '--calibration', 'kept'];

/** Starts an engine with pictures of 512 x 512, whose first call takes minutes. */
function startEngine(startTimeoutMs: number): Started {
  const program = fileURLToPath(new URL('start.js', import.meta.url));
  return start(process.execPath, [program, tinyModel, String(startTimeoutMs)], environment);
}

/** Waits until a program has written these words, or has ended. */
async function says({ child, ended }: Started, words: string): Promise<void> {
  let written = '';
  const said = new Promise<void>((resolve) => {
    child.stdout?.on('data', (data: Buffer) => {
      written += data.toString();
      if (written.includes(words)) resolve();
    });
  });
  await Promise.race([said, ended]);
}

describe('WebGPU, on a device without float16', { skip: noSoftwareGpu ?? false }, () => {
  it('computes what the CPU computes, and leaves to it what it cannot run', async () => {
    await assertParity(model, environment);
  });

  it('serves streams of several users, a change of prompt, and an image', async () => {
    await using server = await startServerIn({ env: environment }, '--model', model, ...flags);
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
    const { code, stdout, stderr } = await startMillrace(
      ['doctor', '--json', '--model', model, ...flags],
      environment,
    ).ended;
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as DoctorReport;
    assert.equal(report.performance?.device, 'webgpu');
    assert.ok(report.checks.some(({ level, text }) => level === 'note' && moved.test(text)));
  });
});

describe('a first call that compiles for long', { skip: noSoftwareGpu ?? false }, () => {
  it('does not keep the server from ending by a signal', async () => {
    const serve = startMillrace(
      [
        'serve',
        '--port',
        '0',
        '--drain-seconds',
        '0',
        '--log-format',
        'json',
        '--model',
        tinyModel,
        ...flags,
      ],
      environment,
    );
    await says(serve, 'loading the VAE encoder');
    serve.child.kill('SIGTERM');
    const { code, signal, stderr } = await serve.ended;
    assert.ok(code === 0 || signal === 'SIGTERM', `${code} ${signal} ${stderr}`);
  });

  it('does not abort a command that is interrupted, nor one that is interrupted twice', async () => {
    for (const times of [1, 2]) {
      const command = startEngine(600_000);
      await says(command, 'loading the VAE encoder');
      for (let i = 0; i < times; i++) {
        command.child.kill('SIGINT');
        await setTimeout(200);
      }
      const { code, signal, stderr } = await command.ended;
      assert.ok(code === 130 || signal === 'SIGINT', `${code} ${signal} ${stderr}`);
    }
  });

  it('does not abort a command whose engine is silent for too long', async () => {
    const { code, signal, stderr } = await startEngine(1500).ended;
    assert.match(stderr, /millrace: the inference thread was silent for 1\.5 s while it started/);
    assert.ok(code === 1 || signal === 'SIGKILL', `${code} ${signal} ${stderr}`);
  });
});
