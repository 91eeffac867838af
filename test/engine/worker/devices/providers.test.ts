import assert from 'node:assert/strict';
import { join } from 'node:path';
import { afterEach, describe, it, mock } from 'node:test';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import { DeviceError, parseDevice } from '../../../../src/engine/device.js';
import {
  candidates,
  chooseDevice,
  missing,
  noGpu,
  providerStatuses,
  surroundings,
  tryDevice,
  type Surroundings,
} from '../../../../src/engine/worker/devices/providers.js';

/** Returns a machine with these files. */
function machine(files: readonly string[], changes: Partial<Surroundings> = {}): Surroundings {
  return {
    platform: 'linux',
    arch: 'x64',
    known: ['cpu', 'webgpu', 'cuda', 'tensorrt'],
    runtime: '/app/node_modules/onnxruntime-node',
    version: '1.30.0',
    exists: (path) => files.includes(path),
    list: (folder) =>
      files.filter((file) => file.startsWith(`${folder}/`)).map((file) => file.slice(folder.length + 1)),
    ...changes,
  };
}

const binaries = join('/app/node_modules/onnxruntime-node', 'bin/napi-v6', 'linux', 'x64');

describe('missing', () => {
  it('gives the exact line that installs CUDA', () => {
    const line = missing('cuda', machine([])) ?? '';
    assert.match(line, /^libonnxruntime_providers_cuda\.so is not installed; run: node "[^"]+" --onnx/);
    const script = join('/app/node_modules/onnxruntime-node', 'script/install.js');
    assert.ok(line.includes(`node "${script}" --onnxruntime-node-install (it needs CUDA 12 and cuDNN 9)`));
    assert.ok(line.includes(`PyPI's onnxruntime-gpu 1.30.0 into ${binaries}`));
    assert.match(missing('tensorrt', machine([])) ?? '', /_tensorrt\.so is not installed.*and TensorRT 10/);
  });

  it('names a script that exists in the installed package', () => {
    const here = surroundings();
    assert.ok(here.exists(join(here.runtime, 'script/install.js')));
    assert.ok(here.exists(join(here.runtime, 'bin/napi-v6', here.platform, here.arch)));
    assert.ok(here.list(join(here.runtime, 'script')).includes('install.js'));
    assert.deepEqual(here.list(join(here.runtime, 'no such folder')), []);
    assert.match(here.version, /^\d+\.\d+\.\d+/);
    assert.ok(here.known.includes('cpu'));
  });

  it('returns null if the library exists or none is needed', () => {
    const file = join(binaries, 'libonnxruntime_providers_cuda.so');
    assert.equal(missing('cuda', machine([file])), null);
    assert.equal(missing('webgpu', machine([])), null);
    assert.equal(missing('cpu', machine([])), null);
  });

  it('lists the available providers if a system does not have this one', () => {
    const mac = machine([], { platform: 'darwin', arch: 'arm64', known: ['cpu', 'coreml', 'webgpu'] });
    assert.equal(
      missing('cuda', mac),
      'onnxruntime-node 1.30.0 has no cuda on darwin/arm64; it has cpu, coreml, webgpu',
    );
  });
});

describe('the candidates of auto', () => {
  it('depend on the system', () => {
    assert.deepEqual(candidates({ platform: 'linux' }), ['cuda', 'webgpu']);
    assert.deepEqual(candidates({ platform: 'win32' }), ['dml', 'webgpu']);
    assert.deepEqual(candidates({ platform: 'darwin' }), ['webgpu', 'coreml']);
  });

  it('include no GPU providers if there is no GPU', () => {
    assert.match(noGpu('cuda', machine(['/dev/dri/renderD128'])) ?? '', /no NVIDIA GPU/);
    assert.equal(noGpu('webgpu', machine(['/dev/dri/renderD128'])), null);
    assert.match(noGpu('webgpu', machine(['/dev/dri/card0'])) ?? '', /no GPU found/);
    assert.equal(noGpu('cuda', machine(['/dev/nvidiactl'])), null);
    assert.equal(noGpu('cuda', machine(['/dev/dxg'])), null);
    assert.equal(noGpu('webgpu', machine([], { platform: 'darwin' })), null);
  });
});

describe('chooseDevice', () => {
  it('falls back to the CPU and says why, in one line', async () => {
    const { device, because } = await chooseDevice(parseDevice('auto'), machine([]));
    assert.deepEqual(device, { provider: 'cpu', index: 0 });
    assert.match(because ?? '', /^running on the CPU \(cuda: no NVIDIA GPU .*; webgpu: no GPU .*\)$/);
    const driverless = await chooseDevice(
      parseDevice('auto'),
      machine(['/dev/nvidiactl'], { known: ['cpu'] }),
    );
    assert.match(driverless.because ?? '', /cuda: onnxruntime-node 1\.30\.0 has no cuda on linux\/x64/);
  });

  it('uses the requested device, or says why it cannot', async () => {
    assert.deepEqual(await chooseDevice(parseDevice('cpu'), machine([])), {
      device: { provider: 'cpu', index: 0 },
      because: null,
    });
    await assert.rejects(chooseDevice(parseDevice('cuda:1'), machine([])), (error) => {
      assert.ok(error instanceof DeviceError);
      assert.match(
        error.message,
        /^device cuda:1: libonnxruntime_providers_cuda\.so is not installed; run: node/,
      );
      return true;
    });
  });

  it('runs a real graph on the device', async () => {
    assert.equal(await tryDevice(parseDevice('cpu')), null);
    // ONNX Runtime has this provider only on Windows.
    if (process.platform === 'win32') return;
    assert.match((await tryDevice(parseDevice('dml'))) ?? '', /backend not found/);
  });
});

describe('providerStatuses', () => {
  it('reports for each relevant provider whether it works', async () => {
    const noNvidia = 'no NVIDIA GPU found (no /dev/nvidiactl)';
    assert.deepEqual(await providerStatuses(machine([])), [
      { provider: 'cpu', reason: null },
      { provider: 'cuda', reason: noNvidia },
      { provider: 'webgpu', reason: 'no GPU found (no /dev/dri/renderD*)' },
      { provider: 'tensorrt', reason: noNvidia },
    ]);
    const mac = machine([], { platform: 'darwin', arch: 'arm64', known: ['cpu'] });
    assert.deepEqual(await providerStatuses(mac), [
      { provider: 'cpu', reason: null },
      { provider: 'webgpu', reason: 'onnxruntime-node 1.30.0 has no webgpu on darwin/arm64; it has cpu' },
      { provider: 'coreml', reason: 'onnxruntime-node 1.30.0 has no coreml on darwin/arm64; it has cpu' },
    ]);
  });

  it('tries a provider that nothing rules out', async () => {
    if (process.platform === 'win32') return;
    const windows = machine([], { platform: 'win32', known: ['cpu', 'dml'] });
    const [, dml, webgpu, ...others] = await providerStatuses(windows);
    assert.equal(dml?.provider, 'dml');
    assert.match(dml.reason ?? '', /backend not found/);
    assert.equal(webgpu?.provider, 'webgpu');
    assert.deepEqual(others, []);
    const { because } = await chooseDevice(parseDevice('auto'), windows);
    assert.match(because ?? '', /^running on the CPU \(dml: .*backend not found.*; webgpu: onnxruntime-node/);
  });
});

describe('a device that can only be judged by trying it', () => {
  afterEach(() => mock.restoreAll());
  const library = join(binaries, 'libonnxruntime_providers_cuda.so');
  const nvidia = machine(['/dev/nvidiactl', library]);

  /** Makes networks load as if such a device were here. @returns a record of what was done. */
  function pretend(): unknown[] {
    const done: unknown[] = [];
    mock.method(InferenceSession, 'create', (_: Buffer, options: InferenceSession.SessionOptions) => {
      done.push(options.executionProviders, options.intraOpNumThreads);
      return Promise.resolve({
        run({ x }: { readonly x: Tensor }) {
          done.push([...(x.data as Float32Array)], x.type, x.dims);
          return Promise.resolve({});
        },
        release() {
          done.push('released');
          return Promise.resolve();
        },
      });
    });
    return done;
  }

  it('runs a graph on one thread, and releases it again', async () => {
    const done = pretend();
    assert.equal(await tryDevice(parseDevice('cuda:3')), null);
    assert.deepEqual(done, [[{ name: 'cuda', deviceId: 3 }], 1, [1], 'float32', [1], 'released']);
  });

  it('is chosen if it works', async () => {
    pretend();
    const device = parseDevice('cuda:1');
    assert.deepEqual(await chooseDevice(device, nvidia), { device, because: null });
    assert.deepEqual(await chooseDevice(parseDevice('auto'), nvidia), {
      device: { provider: 'cuda', index: 0 },
      because: 'running on cuda, the best device that works',
    });
  });

  it('is refused with the reason in one line, and the likely cause', async () => {
    const fail = (message: string): void =>
      void mock.method(InferenceSession, 'create', () => Promise.reject(new Error(message)));
    fail(' Failed to load shared library libcudnn.so.9:\n   no such file\n');
    const reason = 'Failed to load shared library libcudnn.so.9: no such file';
    const advice = 'the driver or a library that it needs is missing (named above)';
    assert.equal(await tryDevice(parseDevice('cuda')), `${reason}: ${advice}`);
    await assert.rejects(chooseDevice(parseDevice('cuda:1'), nvidia), {
      name: 'DeviceError',
      message: `device cuda:1: ${reason}: ${advice}`,
    });
    fail('out of memory');
    assert.equal(await tryDevice(parseDevice('cuda')), 'out of memory');
    assert.deepEqual(await chooseDevice(parseDevice('auto'), nvidia), {
      device: { provider: 'cpu', index: 0 },
      because: 'running on the CPU (cuda: out of memory; webgpu: out of memory)',
    });
  });
});
