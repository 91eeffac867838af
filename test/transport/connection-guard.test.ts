import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { connectionRoom, descriptorLimit } from '../../src/transport/descriptors.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const sockets: Socket[] = [];
after(() => {
  for (const socket of sockets) socket.destroy();
});

/** Opens a connection that sends nothing; `text` returns what was received. */
async function silent(
  { url }: TestServer,
  localAddress = '127.0.0.1',
): Promise<{ socket: Socket; text: () => string }> {
  const socket = connect({ port: Number(new URL(url).port), host: '127.0.0.1', localAddress });
  sockets.push(socket);
  let text = '';
  socket.on('data', (data) => (text += data.toString())).on('error', () => {});
  await once(socket, 'connect');
  return { socket, text: () => text };
}

/** Waits until the server has accepted all connections so far: it accepts them in order. */
async function settled(server: TestServer, localAddress: string): Promise<void> {
  const { socket, text } = await silent(server, localAddress);
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  assert.match(text(), /^HTTP\/1\.1 200/);
}

describe('plain connections', () => {
  it('of one address are limited: one more gets an error; streams do not count', async () => {
    await using server = await startServer({ maxPlainConnectionsPerAddress: 3 });
    await server.app.ready();
    for (let i = 0; i < 4; i++) await StreamClient.connect(server.streamUrl);
    const first = await silent(server);
    await silent(server);
    await silent(server);
    const fourth = await silent(server);
    await once(fourth.socket, 'close');
    assert.match(fourth.text(), /^HTTP\/1\.1 429.*"rate_limited"/s);
    await settled(server, '127.0.0.2');
    first.socket.destroy();
    // The server notices it a little later.
    for (let answered = false; !answered;) {
      const next = await silent(server);
      next.socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
      await once(next.socket, 'close');
      answered = next.text().startsWith('HTTP/1.1 200');
    }
  });

  it('beyond the total limit close the oldest silent one, never a stream', async () => {
    await using server = await startServer({ maxConnections: 5 });
    await server.app.ready();
    await using stream = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
    const old = [];
    for (let i = 0; i < 4; i++) old.push(await silent(server, `127.0.0.${i + 10}`));
    await settled(server, '127.0.0.20');
    const [oldest, ...others] = old.map(({ socket }) => socket);
    if (oldest && !oldest.closed) await once(oldest, 'close');
    for (const socket of others) assert.equal(socket.closed, false);
    stream.send({ type: 'ping', sent: 0 });
    await stream.first('pong');
  });
});

describe('connectionRoom', () => {
  it('leaves descriptors for the rest of the server', () => {
    assert.ok(descriptorLimit() > 0);
    assert.equal(connectionRoom(0, 256), 192);
    assert.equal(connectionRoom(0, 1024), 768);
    assert.equal(connectionRoom(0, 1_048_576), 10_000);
    assert.equal(connectionRoom(0, Infinity), 10_000);
    assert.equal(connectionRoom(50_000, 1_048_576), 50_000);
    assert.equal(connectionRoom(5000, 1024), 768);
    assert.equal(connectionRoom(5, 1024), 5);
    assert.equal(connectionRoom(0, 64), 1);
  });
});
