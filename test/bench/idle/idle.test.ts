import assert from 'node:assert/strict';
import { test } from 'node:test';
import { hasThreadClock } from '../thread-clock.js';
import { measureIdle } from './measure.js';
import { PacedDevice } from './paced-device.js';

test('frames of one and of several users pass the engine at the pace of the device', async () => {
  const trial = { unetMs: 4, side: 64, seconds: 1 } as const;
  const [one, several] = await measureIdle([
    { ...trial, users: 1, waiting: 'spin' },
    { ...trial, users: 4, waiting: 'sleep' },
  ]);
  assert.ok(one && several);
  for (const { fps, share, medianMs, medianShare } of [one, several]) {
    for (const each of [share, medianShare]) assert.ok(each > 0 && each < 1, `${each}`);
    assert.ok(fps > 0 && medianMs > 0);
  }
  assert.ok(Number.isNaN(one.processorShare), 'a device that spins takes all of the processor');
  if (hasThreadClock) assert.ok(several.processorMs > 0 && several.processorShare < 1);
  // A frame takes 4 ms in the U-Net and 1 ms in each half of the VAE, and only the calls can be shared.
  assert.ok(one.fps < 1000 / 6, `${one.fps} frames a second`);
  assert.ok(several.fps < 4 * (1000 / 6), `${several.fps} frames a second`);
});

test('a device is busy for as long as its calls take', () => {
  const device = new PacedDevice();
  for (const waiting of ['spin', 'sleep'] as const) {
    device.set(8, waiting);
    const before = device.busyMs;
    device.call('unet');
    device.call('vae');
    assert.ok(device.busyMs - before >= 10, waiting);
  }
  assert.ok(new PacedDevice(device.memory).busyMs >= 20, 'its memory is shared');
  assert.equal(device.calls, 2);
  assert.equal(device.lastWaits(5).length, 2);
  assert.equal(device.lastWaits(1).length, 1);
});
