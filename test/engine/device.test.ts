import assert from 'node:assert/strict';
import { it } from 'node:test';
import { DeviceError, deviceName, parseDevice } from '../../src/engine/device.js';

it('device names are parsed and formatted', () => {
  assert.deepEqual(parseDevice('cpu'), { provider: 'cpu', index: 0 });
  assert.deepEqual(parseDevice('cuda'), { provider: 'cuda', index: 0 });
  assert.deepEqual(parseDevice('tensorrt:3'), { provider: 'tensorrt', index: 3 });
  for (const name of ['auto', 'cpu', 'cuda:0', 'cuda:12', 'dml:1', 'webgpu', 'coreml']) {
    assert.equal(deviceName(parseDevice(name)), name);
  }
});

it('an unknown device name is refused with a list of the valid ones', () => {
  for (const text of ['', 'gpu', 'cuda:', 'cuda:-1', 'CUDA', 'cuda:1:2', 'constructor']) {
    assert.throws(
      () => parseDevice(text),
      (error) => {
        assert.ok(error instanceof DeviceError);
        assert.equal(error.name, 'DeviceError');
        assert.equal(
          error.message,
          `unknown device "${text}"; it must be one of auto, cpu, cuda[:n], tensorrt[:n], webgpu, coreml, dml[:n]`,
        );
        return true;
      },
    );
  }
  assert.throws(() => parseDevice('cpu:1'), /the device cpu takes no number; write cpu for cpu:1$/);
});
