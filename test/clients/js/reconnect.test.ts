import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { MillraceStream } from '@millrace/client';
import { nextEvent, openStream, readyMessage, result, type OpenStream } from './protocol-server.js';

const jpeg = Uint8Array.of(1);

async function openLasting(token?: () => string): Promise<OpenStream> {
  return openStream({}, { reconnectSeconds: 30, parameters: { seed: 4 }, token });
}

function recordDrops(stream: MillraceStream): unknown[] {
  const dropped: unknown[] = [];
  stream.on('dropped', ({ id, reason }) => dropped.push([id, reason]));
  return dropped;
}

test('a lost connection is resumed with the newest token', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const dropped = recordDrops(stream);
  const frames = stream.frames();
  first.send({ type: 'checkpoint', token: 'first' }, { type: 'checkpoint', token: 'second' }, result(1));
  assert.equal((await frames.next()).value?.sequence, 1);
  stream.send(jpeg);
  stream.send(jpeg);
  assert.equal((await first.receive('frame')).id, 0);
  assert.equal((await first.receive('frame')).id, 1);

  const lost = nextEvent(stream, 'reconnecting');
  const accepted = server.accept();
  first.terminate();
  assert.equal((await lost).code, 'connection_lost');
  assert.equal(stream.credits, 0);
  assert.equal(stream.closed, false);
  // Waits for the connection; ids still rise.
  assert.equal(stream.send(jpeg), 2);
  const second = await accepted;
  const reconnected = nextEvent(stream, 'reconnected');
  const hello = await second.greet({ resumed: true, credits: 1, session: 'session-1' });
  assert.deepEqual([hello.resume, hello.parameters], ['second', undefined]);
  assert.deepEqual(await reconnected, { resumed: true });
  assert.equal((await second.receive('frame')).id, 2);
  assert.equal(stream.credits, 0);
  assert.deepEqual(dropped, []);

  // Work on frame 1 had begun, and its result comes; that of frame 0 can no longer come.
  const next = frames.next();
  second.send(result(1, { id: 1 }));
  assert.equal((await next).value?.id, 1);
  assert.deepEqual(dropped, [[0, 'failed']]);
  void frames.next();
  assert.equal((await second.receive('ack')).sequence, 1);
  assert.equal(stream.stats().reconnects, 1);
});

test('results of the previous connection are not acknowledged over the next', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const frames = stream.frames();
  first.send(result(1));
  await frames.next();
  const accepted = server.accept();
  first.terminate();
  const second = await accepted;
  await second.greet({ resumed: true });
  second.send(result(1, { id: 7 }), result(2, { id: 8 }));
  await nextEvent(stream, 'result', ({ id }) => id === 8);
  assert.equal((await frames.next()).value?.id, 8);
  stream.send(jpeg);
  await second.receive('frame'); // and no ack before it
});

test('a refused token leads to a fresh start with the same parameters', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const dropped = recordDrops(stream);
  const updating = stream.update({ prompt: 'mosaic' });
  const { request } = await first.receive('update');
  first.send({ type: 'updated', request, from: 0, parameters: stream.parameters });
  await updating;
  first.send({ type: 'checkpoint', token: 'old' });
  stream.send(jpeg);
  await first.receive('frame');
  let accepted = server.accept();
  first.terminate();
  const second = await accepted;
  assert.equal((await second.receive('hello')).resume, 'old');
  accepted = server.accept();
  second.send({ type: 'error', code: 'invalid_resume_token', message: 'expired' });
  second.close(4403);
  const hello = await (await accepted).greet();
  assert.deepEqual([hello.resume, hello.parameters], [undefined, { seed: 4, prompt: 'mosaic' }]);
  assert.deepEqual(await nextEvent(stream, 'reconnected'), { resumed: false });
  assert.deepEqual(dropped, [[0, 'failed']]);
});

test('a fresh start has the file of the style image, even if an update repeated its name', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const file = Buffer.of(1, 2, 3);
  const parameters = { ...stream.parameters, style_image: `sha256:${'0'.repeat(64)}` };
  for (const changes of [{ style_image: file }, { ...parameters, seed: 5 }]) {
    const updating = stream.update(changes);
    const { request } = await first.receive('update');
    first.send({ type: 'updated', request, from: 0, parameters });
    await updating;
  }
  const accepted = server.accept();
  first.terminate();
  const { parameters: again } = await (await accepted).greet();
  assert.deepEqual(again, { ...parameters, seed: 5, style_image: file });
});

test('an update without an answer is sent again', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const updating = stream.update({ prompt: 'mosaic' });
  await first.receive('update');
  const accepted = server.accept();
  first.terminate();
  const second = await accepted;
  await second.greet({ resumed: true });
  const update = await second.receive('update');
  assert.deepEqual(update.parameters, { prompt: 'mosaic' });
  second.send({ type: 'updated', request: update.request, from: 3, parameters: stream.parameters });
  assert.equal((await updating).from, 3);
});

test('messages right after ready are not lost', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const accepted = server.accept();
  first.terminate();
  const second = await accepted;
  const came = nextEvent(stream, 'result');
  await second.receive('hello');
  second.send({ ...readyMessage, resumed: true }, { type: 'checkpoint', token: 'x' }, result(1, { id: 5 }));
  assert.equal((await came).id, 5);
});

test('a stream moves to another connection when the server drains, and is served until then', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  let losses = 0;
  stream.on('reconnecting', () => losses++);
  const accepted = server.accept();
  const draining = nextEvent(stream, 'drain');
  first.send({ type: 'drain', deadline_seconds: 5, token: 'last' });
  assert.deepEqual(await draining, { deadlineSeconds: 5 });
  const second = await accepted;
  first.send(result(1));
  assert.equal((await first.receive('ack')).sequence, 1);
  const reconnected = nextEvent(stream, 'reconnected');
  assert.equal((await second.greet({ resumed: true })).resume, 'last');
  assert.equal(await first.closed, 1000);
  assert.deepEqual(await reconnected, { resumed: true });
  assert.equal(losses, 0);
  stream.send(jpeg);
  await second.receive('frame');
});

test('the previous connection may be taken over before the next is ready', async () => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  const accepted = server.accept();
  first.send({ type: 'drain', deadline_seconds: 5, token: 'last' });
  const second = await accepted;
  const reconnected = nextEvent(stream, 'reconnected');
  first.send({ type: 'error', code: 'taken_over', message: 'moved' });
  first.close(4409);
  await first.closed;
  await second.greet({ resumed: true });
  await reconnected;
  assert.equal(stream.closed, false);
});

for (const code of ['taken_over', 'unauthorized', 'invalid_message'] as const) {
  test(`a stream does not reconnect after ${code}`, async () => {
    await using open = await openLasting();
    open.peer.send({ type: 'error', code, message: 'no' });
    open.peer.close(4400);
    assert.equal((await nextEvent(open.stream, 'close')).error?.code, code);
  });
}

test('a stream ends when its time to reconnect is up', async () => {
  await using open = await openStream({}, { reconnectSeconds: 0.1 });
  const closed = nextEvent(open.stream, 'close');
  open.peer.terminate();
  await open.server[Symbol.asyncDispose]();
  assert.equal((await closed).error?.code, 'connection_failed');
});

test('the pause before the next attempt can be ended', async (t) => {
  await using open = await openLasting();
  const { stream, server, peer: first } = open;
  // With stopped timers no pause ends by itself.
  t.mock.timers.enable({ apis: ['setTimeout'] });
  const reconnecting = nextEvent(stream, 'reconnecting');
  const accepted = server.accept();
  first.terminate();
  await reconnecting;
  await new Promise(setImmediate);
  stream.retryNow();
  const second = await accepted;
  const reconnected = nextEvent(stream, 'reconnected');
  await second.greet({ resumed: true });
  await reconnected;
});

test('closing ends reconnecting', async () => {
  await using open = await openLasting();
  const closed = nextEvent(open.stream, 'close');
  open.peer.terminate();
  await nextEvent(open.stream, 'reconnecting');
  await open.stream.close();
  assert.equal((await closed).error, undefined);
});

test('an access token is renewed before it expires', async () => {
  const tokens = ['one', 'two'];
  await using open = await openStream({ token_expires: 0.02 }, { token: () => tokens.shift() ?? 'three' });
  assert.equal((await open.peer.receive('authenticate')).token, 'two');
  open.peer.send({ type: 'authenticated', expires_seconds: 0.02 });
  assert.equal((await open.peer.receive('authenticate')).token, 'three');
});

test('pings contain the offset of the clocks once it is known', async () => {
  await using open = await openStream();
  const ping = await open.peer.receive('ping');
  assert.equal(ping.offset, undefined);
  open.peer.send({ type: 'pong', sent: ping.sent, received: ping.sent - 1_000_000 });
  const { offset = 0 } = await open.peer.receive('ping');
  assert.ok(Math.abs(offset - 1_000_000) < 10_000);
  assert.ok((open.stream.stats().roundTrip ?? -1) >= 0);
});

test('a server that answers no pings counts as lost', async (t) => {
  t.mock.timers.enable({ apis: ['setInterval'] });
  await using open = await openStream();
  const closed = nextEvent(open.stream, 'close');
  for (let count = 0; count < 3; count++) {
    await open.peer.receive('ping');
    assert.equal(open.stream.closed, false);
    t.mock.timers.tick(2000);
  }
  const { code, error } = await closed;
  assert.deepEqual([code, error?.code], [1006, 'connection_lost']);
});
