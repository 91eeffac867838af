import assert from 'node:assert/strict';
import { it } from 'node:test';
import { probeProviders } from '../../../src/engine/host/probe-providers.js';
import { candidates } from '../../../src/engine/worker/devices/providers.js';

it('the CPU works everywhere, and each other provider works or has a reason why not', async () => {
  const statuses = await probeProviders();
  const names = statuses.map(({ provider }) => provider);
  const probed = ['cpu', ...candidates(process)];
  assert.deepEqual(names.slice(0, probed.length), probed);
  assert.deepEqual(statuses[0], { provider: 'cpu', reason: null });
  for (const { reason } of statuses) assert.ok(reason === null || reason.length > 10, `${reason}`);
});

it('a probe that fails or ends without an answer is rejected', async () => {
  const program = (text: string): URL => new URL(`data:text/javascript,${encodeURIComponent(text)}`);
  await assert.rejects(probeProviders(program('throw new TypeError("no library")')), /no library/);
  await assert.rejects(probeProviders(program('')), {
    message: 'the provider probe ended without an answer',
  });
});

it('files for worker threads run only there', async () => {
  const message = 'this file runs in a worker thread';
  await assert.rejects(import('../../../src/engine/worker/probe.js'), { message });
  await assert.rejects(import('../../../src/engine/worker/main.js'), { message });
});
