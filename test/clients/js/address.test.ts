import assert from 'node:assert/strict';
import { test } from 'node:test';
import { connect, type WebSocketConstructor } from '@millrace/client';
import { WebSocket } from 'ws';
import { ProtocolServer } from './protocol-server.js';

/** Returns the address that `connect` passes to the runtime. */
async function destination(url: string): Promise<string> {
  let seen = '';
  function Refusing(address: string): never {
    seen = address;
    throw new Error('not today');
  }
  const webSocket = Refusing as unknown as WebSocketConstructor;
  await assert.rejects(connect(url, { webSocket }), { code: 'invalid_url', message: /not today/ });
  return seen;
}

for (const [given, expected] of [
  ['localhost:8420', 'ws://localhost:8420/v1/stream'],
  ['LOCALHOST:8420/', 'ws://localhost:8420/v1/stream'],
  ['//localhost:8420', 'ws://localhost:8420/v1/stream'],
  ['127.0.0.1:8420', 'ws://127.0.0.1:8420/v1/stream'],
  ['0.0.0.0:8420', 'ws://0.0.0.0:8420/v1/stream'],
  ['[::1]:8420', 'ws://[::1]:8420/v1/stream'],
  ['studio.localhost', 'ws://studio.localhost/v1/stream'],
  ['example.com', 'wss://example.com/v1/stream'],
  ['example.com:8420/mine', 'wss://example.com:8420/mine'],
  ['192.168.1.5:8420', 'wss://192.168.1.5:8420/v1/stream'],
  ['localhost.example.com', 'wss://localhost.example.com/v1/stream'],
  ['[2001:db8::1]', 'wss://[2001:db8::1]/v1/stream'],
  ['HTTP://localhost:8420', 'ws://localhost:8420/v1/stream'],
  ['https://example.com/', 'wss://example.com/v1/stream'],
  ['  ws://localhost:8420//\n', 'ws://localhost:8420/v1/stream'],
  ['ws://localhost:8420/v1/stream/', 'ws://localhost:8420/v1/stream'],
  ['https://example.com/studio/v1/stream', 'wss://example.com/studio/v1/stream'],
  ['ws://localhost:8420/v1/stream?a=1#part', 'ws://localhost:8420/v1/stream?a=1'],
] as const) {
  test(`${JSON.stringify(given)} becomes ${expected}`, async () => {
    assert.equal(await destination(given), expected);
  });
}

for (const [given, message] of [
  ['', /is empty/],
  ['   ', /is empty/],
  ['ftp://localhost:8420', /ftp:\/\/ is not one of/],
  ['http://local host:8420', /spaces/],
  ['localhost:8420/a b', /spaces/],
  ['localhost:84200', /host or port/],
  ['localhost:port', /host or port/],
  ['http://', /host or port/],
  ['http:localhost:8420', /host or port/],
  ['::1', /brackets/],
  ['ws://::1:8420', /brackets/],
] as const) {
  test(`${JSON.stringify(given)} is refused, with the reason`, async () => {
    await assert.rejects(connect(given, { webSocket: WebSocket }), {
      code: 'invalid_url',
      retryable: false,
      message,
    });
  });
}

test('connect accepts an address without a scheme', async () => {
  await using server = await ProtocolServer.start();
  const connecting = connect(new URL(server.url).host, { webSocket: WebSocket, reconnectSeconds: 0 });
  const peer = await server.accept();
  assert.equal(peer.path, '/v1/stream');
  await peer.greet();
  await (await connecting).close();
});
