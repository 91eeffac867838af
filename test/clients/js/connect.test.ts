import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage, subprotocol } from '@millrace/protocol';
import { connect } from '@millrace/client';
import { WebSocket } from 'ws';
import { openStream, ProtocolServer } from './protocol-server.js';

test('connect sends hello with its parameters, and resolves on ready', async () => {
  await using server = await ProtocolServer.start();
  const connecting = connect(server.url, {
    webSocket: WebSocket,
    reconnectSeconds: 0,
    client: 'a-test/1',
    parameters: { prompt: 'oil painting', steps: 2 },
  });
  const peer = await server.accept();
  assert.equal(peer.subprotocol, subprotocol);
  const { sent, ...hello } = await peer.greet({ session: 's', server: 'millrace/9', model: 'm', credits: 3 });
  assert.deepEqual(hello, {
    type: 'hello',
    client: 'a-test/1',
    parameters: { prompt: 'oil painting', steps: 2 },
  });
  assert.equal(typeof sent, 'number');
  const stream = await connecting;
  assert.equal(stream.session, 's');
  assert.equal(stream.server, 'millrace/9');
  assert.equal(stream.model, 'm');
  assert.equal(stream.credits, 3);
  assert.equal(stream.parameters.width, 512);
  assert.equal(stream.limits.unacknowledged_results, 2);
  assert.equal(stream.closed, false);
});

for (const [given, expected] of [
  ['http://HOST', '/v1/stream'],
  ['ws://HOST/', '/v1/stream'],
  ['http://HOST/behind/a/proxy?token=1', '/behind/a/proxy?token=1'],
] as const) {
  test(`connect requests ${expected} for ${given}`, async () => {
    await using server = await ProtocolServer.start();
    const url = given.replace('HOST', new URL(server.url).host);
    const connecting = connect(url, { webSocket: WebSocket, reconnectSeconds: 0 });
    const peer = await server.accept();
    assert.equal(peer.path, expected);
    await peer.greet();
    await connecting;
  });
}

test('connect rejects with the code and field of the refusal', async () => {
  await using server = await ProtocolServer.start();
  const connecting = connect(server.url, { webSocket: WebSocket, reconnectSeconds: 0 });
  const rejected = assert.rejects(connecting, {
    name: 'MillraceError',
    code: 'invalid_parameter',
    field: 'steps',
    message: 'steps is at most 10',
    retryable: false,
  });
  const peer = await server.accept();
  await peer.receive('hello');
  peer.send({ type: 'error', code: 'invalid_parameter', field: 'steps', message: 'steps is at most 10' });
  await rejected;
  assert.equal(await peer.closed, 1000);
});

test('connect rejects with connection_failed if nothing listens', async () => {
  const server = await ProtocolServer.start();
  await server[Symbol.asyncDispose]();
  await assert.rejects(connect(server.url, { webSocket: WebSocket, reconnectSeconds: 0 }), {
    code: 'connection_failed',
    message: /could not be reached \(.*ECONNREFUSED.*\)/,
    retryable: true,
  });
});

test('connect rejects if the server closes before ready', async () => {
  await using server = await ProtocolServer.start();
  const connecting = connect(server.url, { webSocket: WebSocket, reconnectSeconds: 0 });
  const rejected = assert.rejects(connecting, { code: 'connection_failed', message: /1013: too busy/ });
  const peer = await server.accept();
  peer.close(1013, 'too busy');
  await rejected;
});

for (const [what, data] of [
  ['a text message', 'ready'],
  ['bytes that are not MessagePack', Uint8Array.of(0xc1)],
  ['a ready without credits', encodeMessage({ type: 'ready' } as never)],
] as const) {
  test(`connect rejects ${what} with protocol_error`, async () => {
    await using server = await ProtocolServer.start();
    const rejected = assert.rejects(connect(server.url, { webSocket: WebSocket, reconnectSeconds: 0 }), {
      code: 'protocol_error',
    });
    const peer = await server.accept();
    await peer.receive('hello');
    peer.sendRaw(data);
    await rejected;
    assert.equal(await peer.closed, 4400);
  });
}

test('connect rejects when its signal aborts', async () => {
  await using server = await ProtocolServer.start();
  const controller = new AbortController();
  const connecting = connect(server.url, { webSocket: WebSocket, signal: controller.signal });
  const rejected = assert.rejects(connecting, { name: 'AbortError' });
  const peer = await server.accept();
  await peer.receive('hello');
  controller.abort();
  await rejected;
  await peer.closed;
  await assert.rejects(connect(server.url, { webSocket: WebSocket, signal: controller.signal }), {
    name: 'AbortError',
  });
});

test(
  'connect requires a WebSocket if the runtime has none',
  { skip: 'WebSocket' in globalThis },
  async () => {
    await assert.rejects(connect('ws://127.0.0.1:9'), { code: 'no_websocket' });
  },
);

test('a stream ignores messages of unknown types', async () => {
  await using open = await openStream();
  open.peer.sendRaw(encodeMessage({ type: 'from-the-future' } as never));
  open.peer.send({ type: 'error', code: 'rate_limited', message: 'slower' });
  await new Promise<void>((resolve) => open.stream.on('error', () => resolve()));
  assert.equal(open.stream.closed, false);
});
