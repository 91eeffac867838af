import assert from 'node:assert/strict';
import { join } from 'node:path';
import { it } from 'node:test';
import { parseDevice } from '../../../../src/engine/device.js';
import { buildsEngines, sessionOptions } from '../../../../src/engine/worker/devices/session-options.js';

const settings = { threads: 3, cacheDirectory: join('cache', 'millrace') };
const providersOf = (device: string): unknown =>
  sessionOptions(parseDevice(device), settings).executionProviders;

it('every device gets its provider and its number', () => {
  assert.deepEqual(providersOf('cpu'), ['cpu']);
  assert.deepEqual(providersOf('auto'), ['cpu']);
  assert.deepEqual(providersOf('cuda'), [{ name: 'cuda', deviceId: 0 }]);
  assert.deepEqual(providersOf('cuda:2'), [{ name: 'cuda', deviceId: 2 }]);
  assert.deepEqual(providersOf('dml:1'), [{ name: 'dml', deviceId: 1 }]);
  // The binding refuses options of WebGPU that it does not know, deviceId among them.
  assert.deepEqual(providersOf('webgpu'), ['webgpu']);
  assert.deepEqual(providersOf('coreml'), [{ name: 'coreml', coreMlFlags: 16 }]);
});

it('TensorRT keeps engines and timings in the cache, and leaves to CUDA what it cannot do', () => {
  const path = join('cache', 'millrace', 'tensorrt');
  assert.deepEqual(providersOf('tensorrt:1'), [
    {
      name: 'tensorrt',
      deviceId: 1,
      trt_engine_cache_enable: true,
      trt_engine_cache_path: path,
      trt_timing_cache_enable: true,
      trt_timing_cache_path: path,
      trt_fp16_enable: true,
    },
    { name: 'cuda', deviceId: 1 },
  ]);
  const [uncached] =
    sessionOptions(parseDevice('tensorrt'), { threads: 1, cacheDirectory: null }).executionProviders ?? [];
  assert.ok(typeof uncached === 'object' && 'trt_engine_cache_enable' in uncached);
  assert.equal(uncached.trt_engine_cache_enable, false);
});

it('threads never spin, and DirectML runs without unsupported options', () => {
  assert.deepEqual(sessionOptions(parseDevice('cpu'), settings), {
    executionProviders: ['cpu'],
    intraOpNumThreads: 3,
    interOpNumThreads: 1,
    graphOptimizationLevel: 'all',
    extra: { session: { intra_op: { allow_spinning: '0' } } },
  });
  const dml = sessionOptions(parseDevice('dml'), settings);
  assert.deepEqual([dml.enableMemPattern, dml.executionMode], [false, 'sequential']);
});

it('devices do not warn of operators that they leave to the CPU', () => {
  assert.equal(sessionOptions(parseDevice('webgpu'), settings).logSeverityLevel, 3);
});

it('only TensorRT comes with a note that engines are built', () => {
  assert.deepEqual(buildsEngines(parseDevice('tensorrt')), {
    note: 'onnxruntime-node does not pass on the TensorRT cache settings: engines are built at every start',
    during: 'building TensorRT engines (takes minutes): ',
  });
  for (const device of ['cpu', 'cuda', 'webgpu', 'coreml', 'dml']) {
    assert.equal(buildsEngines(parseDevice(device)), null);
  }
});
