import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { nextEvent, openStream } from './protocol-server.js';

test('a stream sends as many frames as it has credits, and keeps only the newest of the others', async () => {
  await using open = await openStream({ credits: 2 });
  const { stream, peer } = open;
  const dropped: unknown[] = [];
  stream.on('dropped', (event) => dropped.push(event));
  const ids = [10, 11, 12, 13, 14].map((value) => stream.send(Uint8Array.of(value), { captured: value }));
  assert.deepEqual(ids, [0, 1, 2, 3, 4]);
  assert.equal(stream.credits, 0);
  assert.deepEqual(dropped, [
    { id: 2, reason: 'no_credit' },
    { id: 3, reason: 'no_credit' },
  ]);
  for (const id of [0, 1]) {
    const frame = await peer.receive('frame');
    assert.deepEqual([frame.id, frame.captured, [...frame.data]], [id, 10 + id, [10 + id]]);
  }
  peer.send({ type: 'credit', total: 3 });
  const frame = await peer.receive('frame');
  assert.deepEqual([frame.id, [...frame.data]], [4, [14]]);
  assert.deepEqual([stream.stats().sent, stream.stats().dropped], [3, { no_credit: 2 }]);
});

test('credit totals are totals: an older or repeated one allows nothing more', async () => {
  await using open = await openStream({ credits: 1 });
  const { stream, peer } = open;
  stream.send(Uint8Array.of(1));
  await peer.receive('frame');
  peer.send({ type: 'credit', total: 2 }, { type: 'credit', total: 2 }, { type: 'credit', total: 1 });
  peer.send({ type: 'dropped', id: 0, reason: 'overload' });
  assert.deepEqual(await nextEvent(stream, 'dropped'), { id: 0, reason: 'overload' });
  assert.equal(stream.credits, 1);
  stream.send(Uint8Array.of(2));
  stream.send(Uint8Array.of(3));
  assert.equal((await peer.receive('frame')).id, 1);
  const update = stream.update({ steps: 1 });
  assert.equal((await peer.receive('update')).request, 0);
  peer.send({ type: 'updated', request: 0, from: 2, parameters: stream.parameters });
  await update;
  peer.send({ type: 'credit', total: 3 });
  assert.equal((await peer.receive('frame')).id, 2);
});

test('Blobs are sent in the order of the calls', async () => {
  await using open = await openStream({ credits: 2 });
  const { stream, peer } = open;
  stream.send(new Blob([Uint8Array.of(1, 2, 3)]));
  stream.send(Uint8Array.of(4));
  const first = await peer.receive('frame');
  const second = await peer.receive('frame');
  assert.deepEqual([first.id, [...first.data]], [0, [1, 2, 3]]);
  assert.deepEqual([second.id, [...second.data]], [1, [4]]);
});

test('a Blob that cannot be read uses no credit, and is reported', async () => {
  await using open = await openStream({ credits: 1 });
  const { stream, peer } = open;
  const broken = new Blob();
  broken.arrayBuffer = () => Promise.reject(new Error('gone'));
  const reported = nextEvent(stream, 'error');
  stream.send(broken);
  const error = await reported;
  assert.deepEqual([error.code, error.frame], ['invalid_frame', 0]);
  stream.send(Uint8Array.of(7));
  assert.equal((await peer.receive('frame')).id, 1);
});

test('pictures of controls are sent with their frame, whether in memory or to be read', async () => {
  await using open = await openStream({ credits: 3 });
  const { stream, peer } = open;
  const blob = new Blob([Uint8Array.of(8, 9)]);
  stream.send(Uint8Array.of(1), { controls: { depth: Uint8Array.of(2), canny: blob } });
  const first = await peer.receive('frame');
  stream.send(blob, { controls: {} });
  const second = await peer.receive('frame');
  stream.send(Uint8Array.of(3));
  const third = await peer.receive('frame');
  const bytes = Object.entries(first.controls ?? {}).map(([name, data]) => [name, Array.from(data)]);
  assert.deepEqual([...first.data], [1]);
  assert.deepEqual(bytes, [
    ['depth', [2]],
    ['canny', [8, 9]],
  ]);
  assert.deepEqual([[...second.data], second.controls], [[8, 9], {}]);
  assert.deepEqual([[...third.data], third.controls], [[3], undefined]);
});

test('a mask is sent with its frame, whether in memory or to be read, and not with the next', async () => {
  await using open = await openStream({ credits: 3 });
  const { stream, peer } = open;
  const blob = new Blob([Uint8Array.of(8, 9)]);
  const masks: (Uint8Array | undefined)[] = [];
  for (const mask of [Uint8Array.of(2), blob, undefined]) {
    stream.send(Uint8Array.of(1), { mask });
    masks.push((await peer.receive('frame')).mask);
  }
  assert.deepEqual(
    masks.map((mask) => mask && Array.from(mask)),
    [[2], [8, 9], undefined],
  );
});

test('frames are stamped with the clock of the client', async () => {
  await using open = await openStream();
  const before = performance.now();
  open.stream.send(Uint8Array.of(1));
  const { captured } = await open.peer.receive('frame');
  assert.ok(captured >= before && captured <= performance.now());
});

test('a frame that the server refuses is reported, and the stream continues', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  stream.send(Uint8Array.of(1));
  await peer.receive('frame');
  peer.send({ type: 'error', code: 'invalid_frame', id: 0, message: 'no image' });
  const error = await nextEvent(stream, 'error');
  assert.deepEqual([error.code, error.frame, error.message], ['invalid_frame', 0, 'no image']);
  stream.send(Uint8Array.of(2));
  assert.equal((await peer.receive('frame')).id, 1);
});

test('an unknown drop reason of a newer server becomes failed', async () => {
  await using open = await openStream();
  open.peer.sendRaw(encodeMessage({ type: 'dropped', id: 1, reason: 'mood' } as never));
  assert.deepEqual(await nextEvent(open.stream, 'dropped'), { id: 1, reason: 'failed' });
});
