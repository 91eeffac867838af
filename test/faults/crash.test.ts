import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { it } from 'node:test';
import { pino } from 'pino';
import { createMetrics } from '../../src/metrics/metrics.js';
import { Connections } from '../../src/session/connection/connections.js';
import { ClientAddresses } from '../../src/transport/client-addresses.js';
import { OriginLog } from '../../src/transport/origin-log.js';
import { StreamServer } from '../../src/transport/stream-server.js';
import { sessionContext } from '../session/rig.js';
import { startEngine, tinyModel } from '../support/engine.js';
import { roomyGuard } from '../support/guard.js';
import { motionJpegFrames } from '../support/frames.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };

it('an engine that crashes in the middle of a frame loses that frame, but no session', async () => {
  const workerFile = new URL('../engine/host/crashing-worker.js', import.meta.url);
  await using run = await startEngine(tinyModel, { workerFile });
  const http = createServer().listen(0, '127.0.0.1');
  await once(http, 'listening');
  const context = sessionContext(run.engine);
  const stream = new StreamServer({
    http,
    connections: new Connections(context),
    metrics: createMetrics(),
    log: pino({ level: 'silent' }),
    origins: { allowed: [], loopback: true },
    originLog: new OriginLog({ warn: () => {} }, new ClientAddresses([])),
    messageBytes: 1_000_000,
    messagesPerSecond: 1000,
    addresses: { connections: 10, connectsPerMinute: 100 },
    access: context.access,
    guard: roomyGuard(),
    pingIntervalMs: 60_000,
  });
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}/v1/stream`;
  const bystander = await StreamClient.open(url, small);
  const client = await StreamClient.open(url, { ...small, prompt: 'a fox' });
  assert.equal((await client.generate(12, picture)).type, 'result');
  // This one crashes the worker.
  const lost = await client.generate(13, picture);
  assert.deepEqual([lost.type, lost.type === 'dropped' && lost.reason], ['dropped', 'failed']);
  for (const each of [client, bystander]) {
    assert.equal((await each.error('engine_restarting')).code, 'engine_restarting');
    // Frames that arrive during the restart are dropped; a later one is generated.
    let id = 100;
    while ((await each.generate(id++, picture)).type !== 'result') assert.ok(id < 10_000);
    await each[Symbol.asyncDispose]();
  }
  await stream[Symbol.asyncDispose]();
  http.close();
});
