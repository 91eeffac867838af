import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { motionJpegFrames } from '../support/frames.js';
import { rawHttp } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { RawPeer, rawFrame } from './raw-peer.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };
const limit = 100;
const binary = 2;

const message = (value: Parameters<typeof encodeMessage>[0]): Buffer =>
  rawFrame({ opcode: binary, payload: encodeMessage(value) });
const hello = message({ type: 'hello', parameters: small });

/** The messages that floods consist of. */
const kinds: Readonly<Record<string, Buffer>> = {
  'WebSocket pings': rawFrame({ opcode: 9, payload: Buffer.from('x') }),
  'WebSocket pongs': rawFrame({ opcode: 10 }),
  'empty messages': rawFrame({ opcode: binary }),
  'invalid messages': rawFrame({ opcode: binary, payload: Buffer.from([0x80]) }),
  'unknown messages': rawFrame({ opcode: binary, payload: Buffer.from('81a474797065a36e6577', 'hex') }),
  'pings of the protocol': message({ type: 'ping', sent: 0 }),
  acknowledgements: message({ type: 'ack', sequence: 0 }),
  updates: message({ type: 'update', request: 0, parameters: { delta: 1 } }),
  'fragments without end': rawFrame({ opcode: 0, fin: false }),
};

/** Resolves when the socket is closed, cleanly or not. */
function closed(socket: Socket): Promise<void> {
  return new Promise((resolve) => socket.once('close', () => resolve()));
}

describe('floods', () => {
  let server: TestServer;
  let bystander: StreamClient;
  let next = 0;

  before(async () => {
    server = await startServer({ maxMessagesPerSecond: limit, maxUpdatesPerSecond: 1000 });
    await server.app.ready();
    bystander = await StreamClient.open(server.streamUrl, small);
  });
  after(() => server[Symbol.asyncDispose]());

  for (const [what, frame] of Object.entries(kinds)) {
    it(`${what} beyond a multiple of the limit end the connection with 1008, before most are answered`, async () => {
      const peer = await RawPeer.connect(server.streamUrl);
      const opening = what.startsWith('fragments') ? [rawFrame({ opcode: binary, fin: false })] : [];
      peer.socket.write(hello);
      while (!peer.text.includes('ready')) await once(peer.socket, 'data');
      const began = performance.now();
      peer.socket.write(Buffer.concat([...opening, ...Array.from({ length: 5000 }, () => frame)]));
      const code = await peer.closeCode();
      const seconds = (performance.now() - began) / 1000;
      // Some are errors that close the connection earlier.
      const fault = ['empty messages', 'invalid messages'].includes(what);
      assert.ok(code === 1008 || (fault && code === 4400), `${code}`);
      const most = limit * (seconds + 0.2) + 10;
      assert.ok(peer.received.length <= most, `${peer.received.length} answers in ${seconds} s`);
      if (code === 1008) assert.match(peer.text, /rate_limited/);
      const { type } = await bystander.generate(next++, picture);
      assert.equal(type, 'result', 'another session was disturbed');
    });
  }

  it('messages before hello count too', async () => {
    const peer = await RawPeer.connect(server.streamUrl);
    peer.socket.write(Buffer.concat(Array.from({ length: 5000 }, () => kinds['WebSocket pings'] ?? hello)));
    assert.equal(await peer.closeCode(), 1008);
  });

  it('messages that come with the upgrade request count too', async () => {
    const ping = kinds['WebSocket pings'] ?? hello;
    const peer = await RawPeer.connect(
      server.streamUrl,
      Buffer.concat(Array.from({ length: 5000 }, () => ping)),
    );
    assert.equal(await peer.closeCode(), 1008);
  });

  it('a client slightly above the limit is answered at the rate of the limit, and loses nothing', async () => {
    const peer = await RawPeer.connect(server.streamUrl);
    const ping = kinds['WebSocket pings'] ?? hello;
    const count = 250;
    const began = performance.now();
    peer.socket.write(Buffer.concat(Array.from({ length: count }, () => ping)));
    while (peer.received.length < count) await once(peer.socket, 'data');
    const seconds = (performance.now() - began) / 1000;
    assert.ok(count <= limit * (seconds + 0.2), `${count} answers in ${seconds} s`);
    peer.socket.destroy();
  });

  it('pipelined requests are answered up to a limit', async () => {
    const { hostname, port } = new URL(server.url);
    const socket = connect(Number(port), hostname);
    let text = '';
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.write('GET /v1/capabilities HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(40));
    await once(socket, 'close');
    const statuses = text.match(/HTTP\/1\.1 \d+/g) ?? [];
    assert.ok(statuses.length < 40, `${statuses.length} answers`);
    assert.equal(statuses.at(-1), 'HTTP/1.1 429');
  });

  it('a client that keeps pipelining requests is cut off, and stays blocked for a while', async () => {
    const { hostname, port } = new URL(server.url);
    const open = { port: Number(port), host: hostname, localAddress: '127.0.0.9' };
    const socket = connect(open);
    socket.on('error', () => {});
    const chunk = 'GET / HTTP/1.1\r\nHost: localhost\r\n\r\n'.repeat(500);
    const write = (): void => {
      while (!socket.destroyed && socket.write(chunk));
    };
    socket.on('drain', write);
    write();
    await closed(socket);
    const again = connect(open);
    again.on('error', () => {});
    again.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let answer = '';
    again.on('data', (data) => (answer += data.toString('latin1')));
    await closed(again);
    assert.equal(answer, '');
    assert.equal((await bystander.generate(next++, picture)).type, 'result');
  });
});

it('requests beyond the rate limit of an address get 429, and those of another address are served', async () => {
  await using server = await startServer({ host: '0.0.0.0', maxRequestsPerSecond: 1 });
  const request = 'GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n';
  const { status, body } = await rawHttp(server.url, request.repeat(10));
  assert.equal(status, 200);
  assert.match(body, /HTTP\/1\.1 429.*"rate_limited"/s);
  const { port } = new URL(server.url);
  const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress: '127.0.0.2' });
  socket.write('GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
  const [answer] = (await once(socket, 'data')) as [Buffer];
  assert.match(answer.toString(), /^HTTP\/1\.1 200/);
});

it('connections beyond a rate are closed immediately, and those of another address are served', async () => {
  await using server = await startServer({ host: '0.0.0.0', maxRequestsPerSecond: 1 });
  const { port } = new URL(server.url);
  const answerTo = async (localAddress: string): Promise<string> => {
    const socket = connect({ port: Number(port), host: '127.0.0.1', localAddress });
    let text = '';
    socket.on('data', (data) => (text += data.toString()));
    socket.on('error', () => {});
    socket.write(
      'GET /v1/stream HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n',
    );
    await once(socket, 'close');
    return text;
  };
  const answers: string[] = [];
  for (let i = 0; i < 20; i++) answers.push(await answerTo('127.0.0.1'));
  assert.match(answers[0] ?? '', /unsupported_protocol/);
  assert.ok(answers.includes(''), 'none was closed without an answer');
  assert.match(await answerTo('127.0.0.2'), /unsupported_protocol/);
});
