import assert from 'node:assert/strict';
import { once } from 'node:events';
import type { IncomingMessage } from 'node:http';
import { connect, createServer, type Server } from 'node:net';
import { text } from 'node:stream/consumers';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { freePort } from '../support/free-port.js';
import { startServer } from '../support/server.js';
import { statusOf } from '../support/status-of.js';
import { StreamClient } from '../support/stream-client.js';
import { haproxy, HaproxyProcess, type ServerPorts } from './haproxy-process.js';
import { NameServer } from './name-server.js';

const parameters = { width: 64, height: 64 };

interface Refused {
  readonly status: number;
  readonly code: string;
  readonly retryAfter: string | null;
}

/** Returns how a request was refused. */
async function refusalOf(url: string): Promise<Refused> {
  const answer = await fetch(url);
  const { error } = (await answer.json()) as { readonly error: { readonly code: string } };
  return { status: answer.status, code: error.code, retryAfter: answer.headers.get('retry-after') };
}

/** Starts a server that answers requests for these paths with 200, and dies of every other. */
async function serverThatAnswers(...paths: readonly string[]): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', (request) => {
      if (paths.some((path) => request.toString().split(' ')[1] === path))
        socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
      else socket.destroy();
    });
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  return server;
}

/** Where HAProxy finds such a server; it has no agent. */
function portsOf(server: Server): ServerPorts {
  const address = server.address();
  assert.ok(address !== null && typeof address === 'object');
  return { port: address.port, agentPort: address.port };
}

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

  it('limits the streams of each address for all of them together', async () => {
    const agentPort = await freePort();
    await using server = await startServer({ agentPort, maxSessions: 4, trustedProxies: ['127.0.0.1'] });
    await server.app.ready();
    const ports = { port: Number(new URL(server.url).port), agentPort };
    const perAddress = { streams: 2, connectsPerMinute: 1000 };
    await using balancer = await HaproxyProcess.start([ports], { patient: true, perAddress });
    await untilReady(balancer);
    const url = `${balancer.url}/v1/stream`;
    const open = (): Promise<StreamClient> => StreamClient.open(url.replace('http', 'ws'), parameters);
    await using first = await open();
    await using second = await open();
    assert.deepEqual(await refusalOf(url), { status: 429, code: 'rate_limited', retryAfter: '1' });
    assert.equal(await statusOf(url, { from: '127.0.0.3' }), 426);
    // Streams of other programs count too.
    const foreign = new WebSocket(`${balancer.url.replace('http', 'ws')}/owner/app/realtime`);
    const [, answer] = (await once(foreign, 'unexpected-response')) as [unknown, IncomingMessage];
    assert.equal(answer.statusCode, 429);
    answer.resume();
    for (const { socket } of [first, second]) assert.equal(socket.readyState, socket.OPEN);
  });

  it('counts the networks of IPv6 as addresses, as servers do', async () => {
    const perAddress = { streams: 10, connectsPerMinute: 2 };
    await using balancer = await HaproxyProcess.start([], { patient: true, perAddress, proxied: true });
    const statusFor = async (user: string): Promise<string> => {
      const socket = connect(Number(new URL(balancer.url).port), '127.0.0.1');
      const family = user.includes(':') ? 'TCP6' : 'TCP4';
      socket.write(`PROXY ${family} ${user} ${user} 1000 443\r\n`);
      socket.write('GET /v1/stream HTTP/1.1\r\nhost: millrace.example\r\nconnection: close\r\n\r\n');
      return (await text(socket)).slice('HTTP/1.1 '.length, 'HTTP/1.1 '.length + 3);
    };
    // No server is there.
    const users = [
      '2001:db8::1',
      '2001:db8::2',
      '2001:db8::3:0:0:1',
      '2001:db8:0:1::1',
      '192.0.2.1',
      '192.0.2.2',
    ];
    const statuses: string[] = [];
    for (const user of users) statuses.push(await statusFor(user));
    assert.deepEqual(statuses, ['503', '503', '429', '503', '503', '503']);
    assert.equal(await statusFor('192.0.2.1'), '503');
    assert.equal(await statusFor('192.0.2.1'), '429');
  });

  it('finds them by their name, says that none is there before, and keeps them while DNS flaps or falls silent', async () => {
    const host = '127.0.0.11';
    const [port, agentPort] = [await freePort(), await freePort()];
    await using names = await NameServer.start();
    const named = { nameServerPort: names.port, port, agentPort };
    await using balancer = await HaproxyProcess.start([], { patient: true, named });
    for (const path of ['/v1/stream', '/v1/capabilities', '/v1/txt2img']) {
      const refused = { status: 503, code: 'not_ready', retryAfter: '2' };
      assert.deepEqual(await refusalOf(`${balancer.url}${path}`), refused, path);
    }
    const nowhere = await balancer.servers();
    assert.equal(nowhere.length, 64);
    for (const { state } of nowhere) assert.equal(state, 'MAINT');

    await using server = await startServer({ host, port, agentHost: host, agentPort, maxSessions: 2 });
    await server.app.ready();
    names.addresses = [host];
    await balancer.until((servers) => servers.some(({ maxStreams }) => maxStreams === 2));
    await untilReady(balancer);
    const url = `${balancer.url.replace('http', 'ws')}/v1/stream`;
    await using client = await StreamClient.open(url, parameters);
    for (const addresses of [[], [host], []]) {
      names.addresses = addresses;
      const asked = names.queries;
      // Each resolution asks for addresses of both kinds.
      while (names.queries < asked + 3) await pause(50);
    }
    names.isSilent = true;
    await using another = await StreamClient.open(url, parameters);
    for (const { socket } of [client, another]) assert.equal(socket.readyState, socket.OPEN);
  });

  it('says that none is ready if all are down for streams, although it has not noticed for pages', async () => {
    await using server = await serverThatAnswers('/readyz');
    await using balancer = await HaproxyProcess.start([portsOf(server)], { patient: true });
    await untilReady(balancer);
    await balancer.until(([first]) => first?.state === 'DOWN');
    const refused = { status: 503, code: 'not_ready', retryAfter: '2' };
    assert.deepEqual(await refusalOf(`${balancer.url}/v1/stream`), refused);
  });

  it('says so if one dies while it answers', async () => {
    await using server = await serverThatAnswers('/healthz', '/readyz');
    await using balancer = await HaproxyProcess.start([portsOf(server)], { patient: true });
    await untilReady(balancer);
    const refused = { status: 502, code: 'not_ready', retryAfter: '1' };
    assert.deepEqual(await refusalOf(`${balancer.url}/v1/capabilities`), refused);
  });
});
