import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { nextEvent, openStream } from './protocol-server.js';

test('closing closes the connection, and may be repeated', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const closed = nextEvent(stream, 'close');
  await Promise.all([stream.close(), stream.close()]);
  await stream.close();
  assert.equal(await peer.closed, 1000);
  assert.equal((await closed).error, undefined);
  assert.equal(stream.closed, true);
  assert.throws(() => stream.send(Uint8Array.of(1)), { code: 'closed' });
});

test('await using closes the stream', async () => {
  await using open = await openStream();
  {
    await using stream = open.stream;
    stream.send(Uint8Array.of(1));
  }
  await open.peer.receive('frame');
  assert.equal(await open.peer.closed, 1000);
});

test('a connection that breaks ends the stream with connection_lost', async () => {
  await using open = await openStream();
  open.peer.terminate();
  const { code, error } = await nextEvent(open.stream, 'close');
  assert.equal(code, 1006);
  assert.deepEqual([error?.code, error?.retryable], ['connection_lost', true]);
  assert.throws(() => open.stream.send(Uint8Array.of(1)), { code: 'connection_lost' });
});

test('an error that ends the connection is the reason of the close event', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  peer.send({ type: 'error', code: 'shutting_down', message: 'rolling update' });
  peer.close(1001);
  const { code, error } = await nextEvent(stream, 'close');
  assert.deepEqual([code, error?.code, error?.message], [1001, 'shutting_down', 'rolling update']);
});

test('an error after which the stream continues is not the reason of a later loss', async () => {
  await using open = await openStream();
  open.peer.send({ type: 'error', code: 'engine_restarting', message: 'a moment' });
  await nextEvent(open.stream, 'error');
  open.peer.terminate();
  assert.equal((await nextEvent(open.stream, 'close')).error?.code, 'connection_lost');
});

for (const [what, message] of [
  ['a result without an image', { type: 'result', id: 1, sequence: 1, captured: 0, width: 8, height: 8 }],
  ['a negative id', { type: 'dropped', id: -1, reason: 'similar' }],
  ['a drop without a reason', { type: 'dropped', id: 1 }],
] as const) {
  test(`${what} ends the stream with protocol_error`, async () => {
    await using open = await openStream();
    open.peer.sendRaw(encodeMessage(message as never));
    const { error } = await nextEvent(open.stream, 'close');
    assert.equal(error?.code, 'protocol_error');
    assert.equal(await open.peer.closed, 4400);
  });
}

test('a listener that throws disturbs neither the others nor the stream', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const thrown = new Promise<Error>((resolve) => process.setUncaughtExceptionCaptureCallback(resolve));
  stream.on('error', () => {
    throw new Error('listener');
  });
  const other = nextEvent(stream, 'error');
  peer.send({ type: 'error', code: 'rate_limited', message: 'slower' });
  assert.equal((await other).code, 'rate_limited');
  assert.equal((await thrown).message, 'listener');
  process.setUncaughtExceptionCaptureCallback(null);
  stream.send(Uint8Array.of(1));
  await peer.receive('frame');
});
