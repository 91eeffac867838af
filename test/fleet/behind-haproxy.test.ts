import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort } from '../support/free-port.js';
import { startServer } from '../support/server.js';
import { statusOf } from '../support/status-of.js';
import { StreamClient } from '../support/stream-client.js';
import { haproxy, HaproxyProcess } from './haproxy-process.js';
import { NameServer } from './name-server.js';

const parameters = { width: 64, height: 64 };

/** Waits until a balancer has a server that is ready. */
async function untilReady({ url }: HaproxyProcess): Promise<void> {
  while ((await statusOf(`${url}/readyz`, { from: '127.0.0.1' })) !== 200) await pause(50);
}

describe('HAProxy in front of servers', { skip: haproxy.skip }, () => {
  it('tells them the addresses of its users, and these cannot say otherwise', async () => {
    await using server = await startServer({ trustedProxies: ['127.0.0.1'], maxImagesPerMinute: 1 });
    await server.app.ready();
    const port = Number(new URL(server.url).port);
    await using balancer = await HaproxyProcess.start([{ port, agentPort: port }], { patient: true });
    await untilReady(balancer);
    const ask = (from: string, forwarded?: string): Promise<number | undefined> =>
      statusOf(`${balancer.url}/v1/txt2img`, {
        from,
        body: JSON.stringify(parameters),
        ...(forwarded && { forwarded }),
      });
    assert.equal(await ask('127.0.0.3'), 200);
    assert.equal(await ask('127.0.0.3'), 429);
    assert.equal(await ask('127.0.0.3', '127.0.0.4'), 429);
    assert.equal(await ask('127.0.0.4'), 200);
  });

  it('finds them by their name, says that none is there before, and keeps them if DNS falls silent', async () => {
    const host = '127.0.0.11';
    const [port, agentPort] = [await freePort(), await freePort()];
    await using names = await NameServer.start();
    const named = { nameServerPort: names.port, port, agentPort };
    await using balancer = await HaproxyProcess.start([], { patient: true, named });
    for (const path of ['/v1/stream', '/v1/capabilities', '/v1/txt2img']) {
      const answer = await fetch(`${balancer.url}${path}`);
      assert.equal(answer.status, 503);
      assert.equal(answer.headers.get('retry-after'), '2');
      const { error } = (await answer.json()) as { readonly error: { readonly code: string } };
      assert.equal(error.code, 'not_ready', path);
    }
    const nowhere = await balancer.servers();
    assert.equal(nowhere.length, 64);
    for (const { state } of nowhere) assert.equal(state, 'MAINT');

    await using server = await startServer({ host, port, agentHost: host, agentPort, maxSessions: 2 });
    await server.app.ready();
    names.addresses = [host];
    await balancer.until((servers) => servers.some(({ maxStreams }) => maxStreams === 2));
    names.isSilent = true;
    await untilReady(balancer);
    await using client = await StreamClient.open(
      `${balancer.url.replace('http', 'ws')}/v1/stream`,
      parameters,
    );
    assert.equal(client.all('ready').length, 1);
  });
});
