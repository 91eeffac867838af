import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextEvent, openStream, result } from './protocol-server.js';

test('a result is acknowledged when the next one is requested', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const frames = stream.frames();
  peer.send(result(1, { id: 5, data: Uint8Array.of(9) }));
  const first = await frames.next();
  assert.deepEqual([first.value?.id, first.value?.sequence], [5, 1]);
  assert.deepEqual([...(first.value?.data ?? [])], [9]);
  void stream.update({ steps: 1 }).catch(() => {});
  await peer.receive('update'); // and no ack before it
  const second = frames.next();
  assert.equal((await peer.receive('ack')).sequence, 1);
  peer.send(result(2));
  assert.equal((await second).value?.sequence, 2);
});

test('a result has the pictures of controls that come with it', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const frames = stream.frames();
  peer.send(result(1, { controls: { depth: Uint8Array.of(7, 8) } }));
  const { depth } = (await frames.next()).value?.controls ?? {};
  assert.deepEqual([...(depth ?? [])], [7, 8]);
  void frames.next().catch(() => {});
  peer.send(result(2));
  await nextEvent(stream, 'result', ({ sequence, controls }) => sequence === 2 && controls === undefined);
});

test('a slow consumer gets the newest result, and the others count as unread', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const dropped: unknown[] = [];
  stream.on('dropped', (event) => dropped.push(event));
  const frames = stream.frames();
  peer.send(result(1), result(2), result(3), result(4));
  await nextEvent(stream, 'result', ({ sequence }) => sequence === 4);
  const seen = [(await frames.next()).value?.sequence];
  peer.send(result(5), result(6));
  await nextEvent(stream, 'result', ({ sequence }) => sequence === 6);
  seen.push((await frames.next()).value?.sequence);
  assert.deepEqual(seen, [4, 6]);
  assert.deepEqual(
    dropped,
    [0, 1, 2, 4].map((id) => ({ id, reason: 'unread' })),
  );
  assert.equal((await peer.receive('ack')).sequence, 4);
  assert.deepEqual([stream.stats().consumed, stream.stats().dropped], [1, { unread: 4 }]);
});

test('without a consumer results are acknowledged once listeners have them', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const seen: number[] = [];
  const off = stream.on('result', ({ sequence }) => seen.push(sequence));
  peer.send(result(1), result(2));
  assert.equal((await peer.receive('ack')).sequence, 1);
  assert.equal((await peer.receive('ack')).sequence, 2);
  off();
  peer.send(result(3));
  assert.equal((await peer.receive('ack')).sequence, 3);
  assert.deepEqual(seen, [1, 2]);
});

test('leaving the loop acknowledges the received results, and allows another loop', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  peer.send(result(1));
  for await (const frame of stream.frames()) {
    assert.equal(frame.sequence, 1);
    assert.throws(() => stream.frames(), TypeError);
    peer.send(result(2));
    await nextEvent(stream, 'result');
    break;
  }
  assert.equal((await peer.receive('ack')).sequence, 1);
  assert.equal((await peer.receive('ack')).sequence, 2);
  peer.send(result(3));
  for await (const frame of stream.frames()) {
    assert.equal(frame.sequence, 3);
    break;
  }
});

test('the loop ends when the client closes the stream', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  peer.send(result(1));
  const seen: number[] = [];
  for await (const frame of stream.frames()) {
    seen.push(frame.sequence);
    void stream.close();
  }
  assert.deepEqual(seen, [1]);
  for await (const _ of stream.frames()) assert.fail('a closed stream has no results');
});

test('the loop throws the error that ended the stream, after the last result', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const frames = stream.frames();
  peer.send(result(1), { type: 'error', code: 'engine_failed', message: 'no engine' });
  peer.close(1011);
  await nextEvent(stream, 'close');
  assert.equal((await frames.next()).value?.sequence, 1);
  await assert.rejects(frames.next(), { code: 'engine_failed' });
  assert.deepEqual(await frames.next(), { done: true, value: undefined });
});

test('latency is from capture to consumption, and timings are those of the newest result', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  assert.equal(stream.stats().latency, undefined);
  const now = performance.now();
  const step = 1_000_000;
  for (let i = 1; i <= 10; i++) peer.send(result(i, { captured: now - i * step }));
  await nextEvent(stream, 'result', ({ sequence }) => sequence === 10);
  while ((await peer.receive('ack')).sequence < 10);
  const { latency, timings, consumed, fpsOut } = stream.stats();
  assert.ok(latency !== undefined && fpsOut > 0);
  assert.deepEqual([Math.floor(latency.p50 / step), Math.floor(latency.p95 / step)], [5, 10]);
  assert.equal(timings?.total, 21);
  assert.equal(consumed, 10);
});

test('acknowledgements never decrease', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const frames = stream.frames();
  // A server must not send them out of order, but what was acknowledged stays acknowledged.
  for (const sequence of [2, 1, 3]) {
    peer.send(result(sequence));
    assert.equal((await frames.next()).value?.sequence, sequence);
  }
  void frames.next();
  assert.equal((await peer.receive('ack')).sequence, 2);
  assert.equal((await peer.receive('ack')).sequence, 3);
});
