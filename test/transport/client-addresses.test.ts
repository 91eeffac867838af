import assert from 'node:assert/strict';
import type { IncomingMessage } from 'node:http';
import { describe, it } from 'node:test';
import { ClientAddresses } from '../../src/transport/client-addresses.js';
import { startServer } from '../support/server.js';
import { statusOf } from '../support/status-of.js';
import { StreamClient } from '../support/stream-client.js';

/** Where a trusted proxy connects from. */
const proxy = '127.0.0.2';
const [ann, bob] = ['203.0.113.1', '203.0.113.2'];

/** Returns the client of a request from this address. */
function clientOf(proxies: readonly string[], remoteAddress: string, forwarded?: string): string {
  const headers = { ...(forwarded !== undefined && { 'x-forwarded-for': forwarded }) };
  const socket = { remoteAddress } as IncomingMessage['socket'];
  return new ClientAddresses(proxies).of({ headers, socket });
}

describe('ClientAddresses', () => {
  it('ignores the header of clients, and of proxies that are not trusted', () => {
    assert.equal(clientOf([], '10.0.0.1', ann), '10.0.0.1');
    assert.equal(clientOf(['10.0.0.1'], '10.0.0.2', ann), '10.0.0.2');
  });

  it('believes what trusted proxies wrote, and nothing before that', () => {
    assert.equal(clientOf(['10.0.0.1'], '10.0.0.1', ann), ann);
    assert.equal(clientOf(['10.0.0.1'], '10.0.0.1', `${bob}, ${ann}`), ann);
    assert.equal(clientOf(['10.0.0.0/8'], '10.0.0.1', `${bob}, ${ann},10.9.9.9`), ann);
    assert.equal(clientOf(['10.0.0.1'], '10.0.0.1', `${ann}, 10.9.9.9`), '10.9.9.9');
  });

  it('takes a proxy for the client if it names none', () => {
    for (const nothing of [undefined, '', 'unknown', `${ann}, _hidden`, `${ann}, ${bob}:80`]) {
      assert.equal(clientOf(['10.0.0.1'], '10.0.0.1', nothing), '10.0.0.1', nothing);
    }
    assert.equal(clientOf(['10.0.0.0/8'], '10.0.0.1', '10.0.0.3, 10.0.0.2'), '10.0.0.3');
  });

  it('knows addresses in both of their forms, and networks', () => {
    assert.equal(clientOf(['10.0.0.1'], '::ffff:10.0.0.1', ann), ann);
    assert.equal(clientOf(['fd00::/8'], 'fd12::1', '2001:db8::1'), '2001:db8::1');
    assert.equal(clientOf(['::1'], '::1', ann), ann);
    assert.equal(clientOf(['0.0.0.0/0'], '192.0.2.1', ann), ann);
  });

  it('refuses what is neither, and names it', () => {
    for (const wrong of ['haproxy', '10.0.0', '10.0.0.0/33', '10.0.0.0/', '10.0.0.0/8/8', 'fd00::/129', '']) {
      assert.throws(() => new ClientAddresses(['10.0.0.1', wrong]), {
        name: 'RangeError',
        message: `"${wrong}" is neither an IP address nor a network such as 10.0.0.0/8 or fd00::/8`,
      });
    }
  });
});

describe('the limits of an address', () => {
  const trustedProxies = [proxy];

  it('hold for each user of a trusted proxy: streams', async () => {
    await using server = await startServer({ trustedProxies, maxConnectionsPerAddress: 1 });
    const open = async (localAddress: string, forwarded: string): Promise<StreamClient> =>
      StreamClient.connect(server.streamUrl, { localAddress, headers: { 'x-forwarded-for': forwarded } });
    await using first = await open(proxy, ann);
    await using second = await open(proxy, bob);
    await using direct = await open('127.0.0.1', ann);
    assert.equal([first, second, direct].length, 3);
    // What a client writes itself makes nobody else of it, behind the proxy and without it.
    const refused = /Unexpected server response: 429/;
    await assert.rejects(open(proxy, ann), refused);
    await assert.rejects(open(proxy, `203.0.113.3, ${ann}`), refused);
    await assert.rejects(open('127.0.0.1', '203.0.113.3'), refused);
  });

  it('hold for each user of a trusted proxy: requests; its connections are those of all', async () => {
    const limits = { maxRequestsPerSecond: 1, maxPlainConnectionsPerAddress: 1 };
    await using server = await startServer({ trustedProxies, ...limits });
    const ask = (forwarded: string): Promise<number | undefined> =>
      statusOf(`${server.url}/healthz`, { from: proxy, forwarded });
    const users = Array.from({ length: 20 }, (_, i) => `198.51.100.${i}`);
    assert.deepEqual(
      await Promise.all(users.map(ask)),
      users.map(() => 200),
    );
    const again = await Promise.all(Array.from({ length: 20 }, () => ask(ann)));
    assert.ok(again.includes(429));
  });

  it('hold for each user of a trusted proxy: images', async () => {
    await using server = await startServer({ trustedProxies, maxImagesPerMinute: 1 });
    await server.app.ready();
    const body = JSON.stringify({ width: 64, height: 64 });
    const ask = (from: string, forwarded: string): Promise<number | undefined> =>
      statusOf(`${server.url}/v1/txt2img`, { from, forwarded, body });
    assert.equal(await ask(proxy, ann), 200);
    assert.equal(await ask(proxy, ann), 429);
    assert.equal(await ask(proxy, `${bob}, ${ann}`), 429);
    assert.equal(await ask(proxy, bob), 200);
    assert.equal(await ask('127.0.0.1', ann), 200);
    assert.equal(await ask('127.0.0.1', '203.0.113.3'), 429);
  });
});
