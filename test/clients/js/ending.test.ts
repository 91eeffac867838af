import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { test } from 'node:test';
import { connect } from '@millrace/client';
import { WebSocket } from 'ws';
import { nextEvent, openStream, ProtocolServer, readyMessage } from './protocol-server.js';

for (const [code, reason, error] of [
  [1000, '', 'connection_closed'],
  [1002, '', 'connection_closed'],
  [1003, '', 'connection_closed'],
  [1007, '', 'connection_closed'],
  [1008, '', 'connection_closed'],
  [1009, '', 'message_too_large'],
  [1009, 'message_too_large', 'message_too_large'],
  [1010, '', 'connection_closed'],
  [4400, '', 'invalid_message'],
  [4400, 'hello_required', 'hello_required'],
  [4401, '', 'unauthorized'],
  [4403, '', 'invalid_resume_token'],
  [4409, '', 'taken_over'],
  [4499, 'taken_over', 'taken_over'],
] as const) {
  test(`a stream does not reconnect after ${code} ${reason}`, async () => {
    await using open = await openStream({}, { reconnectSeconds: 30 });
    open.peer.close(code, reason);
    const ended = await nextEvent(open.stream, 'close');
    assert.deepEqual([ended.code, ended.error?.code, ended.error?.retryable], [code, error, false]);
    assert.equal(open.stream.stats().reconnects, 0);
  });
}

for (const [code, reason] of [
  [1001, ''],
  [1011, ''],
  [1012, ''],
  [1013, 'slow_reader'],
  [1014, ''],
  [3999, ''],
  [4408, 'idle_timeout'],
  [4499, 'gremlins'],
] as const) {
  test(`a stream reconnects after ${code} ${reason}`, async () => {
    await using open = await openStream({}, { reconnectSeconds: 30 });
    const accepted = open.server.accept();
    open.peer.close(code, reason);
    assert.equal((await nextEvent(open.stream, 'reconnecting')).retryable, true);
    const reconnected = nextEvent(open.stream, 'reconnected');
    await (await accepted).greet({ resumed: true });
    await reconnected;
  });
}

test('a stream ends if the server closes every connection as soon as it is open', async () => {
  await using open = await openStream({}, { reconnectSeconds: 0.5 });
  const { stream, server, peer } = open;
  const ended = nextEvent(stream, 'close');
  let last: typeof peer | null = peer;
  while (last !== null) {
    const accepted = server.accept();
    last.close(4499, 'gremlins');
    last = await Promise.race([accepted, ended.then(() => null)]);
    await last?.greet({ resumed: true });
  }
  assert.equal((await ended).error?.code, 'connection_lost');
});

for (const late of [readyMessage, { type: 'queued', position: 1, wait_seconds: 1 }] as const) {
  test(`a stream ends when ${late.type} comes late`, async () => {
    await using open = await openStream({}, { reconnectSeconds: 30 });
    open.peer.send(late);
    assert.equal((await nextEvent(open.stream, 'close')).error?.code, 'protocol_error');
    assert.equal(await open.peer.closed, 4400);
  });
}

test('an unknown error of a newer server is retryable, and shows its code', async () => {
  await using server = await ProtocolServer.start();
  const connecting = connect(server.url, { webSocket: WebSocket });
  const rejected = assert.rejects(connecting, {
    code: 'unknown_error',
    retryable: true,
    message: 'something new (gremlins)',
  });
  const peer = await server.accept();
  await peer.receive('hello');
  peer.send({ type: 'error', code: 'gremlins', message: 'something new' } as never);
  await rejected;
});

test('an unexpected text of the server is shown', async () => {
  await using open = await openStream();
  open.peer.sendRaw('Bad Gateway');
  const { error } = await nextEvent(open.stream, 'close');
  assert.deepEqual([error?.code, error?.message.includes('"Bad Gateway"')], ['protocol_error', true]);
});

test('connect rejects if a connection does not open, or has no answer in time', async (t) => {
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const silent = createServer();
  await once(silent.listen(0, '127.0.0.1'), 'listening');
  const address = silent.address();
  assert.ok(address !== null && typeof address === 'object');
  const arrived = once(silent, 'connection');
  const opening = connect(`localhost:${address.port}`.replace('localhost', '127.0.0.1'), {
    webSocket: WebSocket,
  });
  const refused = assert.rejects(opening, { code: 'connection_failed', message: /within 10 seconds/ });
  const [socket] = (await arrived) as [{ destroy(): void }];
  t.mock.timers.tick(10_000);
  await refused;
  socket.destroy();
  silent.close();

  await using server = await ProtocolServer.start();
  const answering = connect(server.url, { webSocket: WebSocket });
  const unanswered = assert.rejects(answering, { code: 'connection_failed', message: /within 60 seconds/ });
  const peer = await server.accept();
  await peer.receive('hello');
  // A message that does not answer hello does not count.
  peer.send({ type: 'credit', total: 5 });
  await peer.flushed();
  t.mock.timers.tick(60_000);
  await unanswered;

  const waiting = connect(server.url, { webSocket: WebSocket, queued: () => t.mock.timers.tick(60_000) });
  const queued = await server.accept();
  await queued.receive('hello');
  queued.send({ type: 'queued', position: 1, wait_seconds: 1 }, readyMessage);
  await (await waiting).close();
});

test('the limits of a new token become those of the stream', async () => {
  await using open = await openStream({}, {});
  const { stream, peer } = open;
  const limits = { ...readyMessage.limits, size: 256 };
  peer.send({ type: 'authenticated', limits }, { type: 'error', code: 'rate_limited', message: 'slower' });
  await nextEvent(stream, 'error');
  assert.deepEqual(stream.limits, limits);
});
