import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { DoctorReport } from '../../src/cli/doctor/report.js';
import { ModelCopy } from '../model/model-copy.js';
import { runMillrace, startMillrace } from '../support/command.js';
import { tinyModel } from '../support/engine.js';
import { layoutFolder } from '../support/layouts.js';
import { always, spoil } from '../support/onnx-spoil.js';

const cache = await mkdtemp(join(tmpdir(), 'millrace-'));
after(() => rm(cache, { recursive: true }));
/** A provider that ONNX Runtime does not have on this system. */
const absent = process.platform === 'win32' ? 'coreml' : 'dml:1';

process.env['MILLRACE_CACHE_DIRECTORY'] = cache;

describe('millrace doctor', () => {
  it('reports the kind of model, its costs on this device and the number of sessions', async () => {
    const args = ['doctor', '--model', layoutFolder('lcm'), '--device', 'cpu', '--json'];
    const { code, stdout, stderr } = await startMillrace(args).ended;
    assert.equal(code, 0, stderr);
    const report = JSON.parse(stdout) as DoctorReport;
    assert.deepEqual(report.model.size, { default: [64, 64], multiple_of: 4, fixed: true });
    assert.deepEqual(
      report.parts.map(({ part }) => part),
      ['text encoder', 'VAE encoder', 'U-Net', 'VAE decoder'],
    );
    const notes = report.checks.filter(({ level }) => level === 'note').map(({ text }) => text);
    assert.equal(notes.length, 3);
    assert.match(notes[0], /takes exactly 2 rows.*\(1 row costs [\d.]+ ms/);
    assert.equal(report.providers.find(({ provider }) => provider === 'cpu')?.reason, null);
    assert.ok(report.performance);
    const { device, unet, frames_per_second: fps, sessions } = report.performance;
    assert.equal(device, 'cpu');
    assert.ok(unet.every(({ ms }) => ms > 0));
    assert.deepEqual(
      sessions.map((entry) => entry.fps),
      [10, 15, 20, 30],
    );
    for (const { fps: rate, sessions: count } of sessions) {
      // At most four fifths of the time, and half a second for one frame of each session.
      const most = (0.8 * Math.min(1000 / rate, 500) * fps) / 1000;
      // Zero on a machine that is too slow or too busy.
      assert.ok(Number.isInteger(count) && count >= 0 && count <= most, `${count} of ${most}`);
    }
  });

  it('still reports the model if the device does not work, and fails', async () => {
    const { code, stdout } = await runMillrace([
      'doctor',
      '--model',
      layoutFolder('optimum'),
      '--device',
      absent,
    ]);
    assert.equal(code, 1);
    const flat = stdout.replace(/\s+/g, ' ');
    assert.match(
      flat,
      new RegExp(`bad device ${absent}: onnxruntime-node \\S+ has no ${absent.split(':')[0]} on`),
    );
    assert.match(flat, /Parts text encoder/);
    assert.doesNotMatch(flat, /Speed/);
  });

  it('fails if the model computes NaN, and names the part and the remedy', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await spoil(join(copy.folder, 'vae_decoder/model.onnx'), always('sample', NaN));
    const { code, stdout } = await runMillrace(['doctor', '--model', copy.folder, '--device', 'cpu']);
    assert.equal(code, 1);
    const flat = stdout.replace(/\s+/g, ' ');
    assert.match(flat, /bad the VAE decoder computes NaN or infinite values.* VAE in float32/);
    assert.doesNotMatch(flat, /Speed/);
  });

  it('names ignored scheduler settings and unusable solvers', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await copy.edit('scheduler/scheduler_config.json', {
      _class_name: 'DDPMScheduler',
      clip_sample: true,
      original_inference_steps: 2000,
    });
    await copy.write('millrace.json', '{"defaults": {"solver": "DDIMScheduler"}}');
    const { code, stdout } = await runMillrace(['doctor', '--model', copy.folder, '--device', 'cpu']);
    const flat = stdout.replace(/\s+/g, ' ');
    assert.match(flat, /note clip_sample in scheduler\/scheduler_config\.json is ignored/);
    assert.match(
      flat,
      /note sessions cannot use the solver LCMScheduler with this model: needs original_inference/,
    );
    assert.equal(code, 0);
  });

  it('fails if no session could be opened, and says what to do', async () => {
    await using copy = await ModelCopy.create(tinyModel);
    await copy.edit('scheduler/scheduler_config.json', { original_inference_steps: 2000 });
    const { code, stdout } = await runMillrace(['doctor', '--model', copy.folder, '--device', 'cpu']);
    assert.equal(code, 1);
    const flat = stdout.replace(/\s+/g, ' ');
    assert.match(flat, /bad \S+millrace\.json: no session can be opened with the default parameters of/);
    assert.match(
      flat,
      /needs original_inference_steps from 1 to 1000 .*; set \{"defaults": \{"solver": "DDIMScheduler"\}\} in that file/,
    );
  });

  it('names the fault of a model in one line', async () => {
    await using copy = await ModelCopy.create(layoutFolder('optimum-onnx'));
    await copy.remove('unet/model.onnx_data');
    for (const folder of [copy.folder, join(cache, 'no-such-folder')]) {
      const { code, stdout, stderr } = await runMillrace(['doctor', '--model', folder, '--json']);
      assert.equal(code, 1);
      assert.equal(stdout, '');
      assert.match(stderr, /^millrace: \S+: no such (file|folder); [^\n]+\n$/);
    }
  });
});

describe('--device', () => {
  it('with a device that does not work ends serve and run with one line and exit code 1', async () => {
    const line = new RegExp(`^millrace: device ${absent}: onnxruntime-node .* has no .*$`, 'm');
    const serve = await startMillrace(['serve', '--port', '0', '--device', absent, '--log-level', 'silent'])
      .ended;
    assert.equal(serve.code, 1);
    assert.match(serve.stderr, line);
    const input = fileURLToPath(new URL('../../../test/fixtures/images/tower.jpg', import.meta.url));
    const run = await runMillrace([
      'run',
      input,
      '-o',
      join(cache, 'out.png'),
      '-p',
      'oil',
      '--device',
      absent,
    ]);
    assert.equal(run.code, 1);
    assert.match(run.stderr, line);
  });

  it('with an unknown device is refused before anything starts', async () => {
    const { code, stderr } = await startMillrace([
      'serve',
      '--port',
      '0',
      '--device',
      'cpu,gpu',
      '--log-level',
      'silent',
    ]).ended;
    assert.equal(code, 1);
    assert.match(stderr, /^millrace: unknown device "gpu"; it must be one of auto, cpu, cuda\[:n\]/);
  });
});
