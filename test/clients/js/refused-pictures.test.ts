import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeMessage, type ServerMessage } from '@millrace/protocol';
import { nextEvent, openStream, readyMessage, result } from './protocol-server.js';

const picture = Uint8Array.of(1, 2, 3);

function refusal(id: number): readonly ServerMessage[] {
  return [
    { type: 'error', code: 'invalid_frame', message: 'not a picture', id },
    { type: 'dropped', id, reason: 'invalid' },
  ];
}

test('a refused picture ends the wait for its result, and the stream continues', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const id = stream.send(picture);
  const next = stream.frames().next();
  peer.send(...refusal(id));
  await assert.rejects(next, { code: 'invalid_frame', frame: id, message: 'not a picture' });
  assert.equal(stream.closed, false);
  const again = stream.frames();
  peer.send(result(1, { id: 1 }));
  assert.equal((await again.next()).value?.id, 1);
});

test('a picture that was refused before its result was requested is reported too', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const dropped = nextEvent(stream, 'dropped');
  peer.send(...refusal(stream.send(picture)));
  await dropped;
  const frames = stream.frames();
  await assert.rejects(frames.next(), { code: 'invalid_frame', frame: 0 });
  assert.deepEqual(await frames.next(), { done: true, value: undefined });
});

test('a busy consumer gets a refusal when it requests the next result, and loses no result', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const frames = stream.frames();
  peer.send(result(1));
  assert.equal((await frames.next()).value?.sequence, 1);
  const reported = nextEvent(stream, 'error');
  peer.send(...refusal(7));
  await reported;
  await assert.rejects(frames.next(), { frame: 7 });
  const later = stream.frames().next();
  peer.send(result(2));
  assert.equal((await later).value?.sequence, 2);
});

test('with skipRefused the results continue, and the event has the refusal', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const reported = nextEvent(stream, 'error');
  const next = stream.frames({ skipRefused: true }).next();
  peer.send(...refusal(stream.send(picture)), result(1, { id: 1 }));
  assert.equal((await reported).frame, 0);
  assert.equal((await next).value?.id, 1);
});

test('an error that does not concern a picture is not thrown by the iteration', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const next = stream.frames().next();
  peer.send({ type: 'error', code: 'engine_restarting', message: 'a moment' }, result(1));
  assert.equal((await next).value?.sequence, 1);
});

test('a result that came before any was requested is kept for the first request', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  peer.send(result(1));
  assert.equal((await peer.receive('ack')).sequence, 1);
  for await (const { sequence } of stream.frames()) {
    assert.equal(sequence, 1);
    break;
  }
  assert.deepEqual([stream.stats().consumed, stream.stats().dropped], [1, {}]);
});

test('a picture above message_bytes is refused by the client, to the byte', async () => {
  const { limits } = readyMessage;
  await using open = await openStream({ credits: 9, limits: { ...limits, message_bytes: 5000 } });
  const { stream, peer } = open;
  // A map of five fields, with float 64 and bin 16.
  const overhead = 42;
  const tooLarge = { code: 'message_too_large', message: /at most 5000 bytes/, frame: 0 };
  for (const length of [5000, 5001 - overhead, 100_000]) {
    assert.throws(() => stream.send(new Uint8Array(length), { captured: 0.5 }), tooLarge);
    assert.throws(() => stream.send(new Blob([new Uint8Array(length)]), { captured: 0.5 }), tooLarge);
  }
  assert.equal(stream.send(new Uint8Array(5000 - overhead), { captured: 0.5 }), 0);
  assert.equal((await peer.receive('frame')).data.length, 5000 - overhead);
});

test('pictures of controls count towards message_bytes, to the byte', async () => {
  const pictures = [new Uint8Array(3000), new Uint8Array(200), new Uint8Array(1000), new Uint8Array(70_000)];
  const [data, canny, depth, pose] = pictures;
  const controls = { canny, depth, pose };
  const size = encodeMessage({ type: 'frame', id: 0, captured: 0.5, controls, data }).length;
  const { limits } = readyMessage;
  await using open = await openStream({ credits: 9, limits: { ...limits, message_bytes: size } });
  const { stream, peer } = open;
  const larger = { ...controls, canny: new Blob([new Uint8Array(201)]) };
  assert.throws(() => stream.send(data, { captured: 0.5, controls: larger }), {
    code: 'message_too_large',
    frame: 0,
  });
  const read = { ...controls, canny: new Blob([canny]) };
  assert.equal(stream.send(new Blob([data]), { captured: 0.5, controls: read }), 0);
  const received = Object.entries((await peer.receive('frame')).controls ?? {});
  assert.deepEqual(
    received.map(([name, { length }]) => [name, length]),
    [
      ['canny', 200],
      ['depth', 1000],
      ['pose', 70_000],
    ],
  );
});

test('a mask counts towards message_bytes, to the byte', async () => {
  const [data, mask] = [new Uint8Array(3000), new Uint8Array(70_000)];
  const size = encodeMessage({ type: 'frame', id: 0, captured: 0.5, mask, data }).length;
  const { limits } = readyMessage;
  await using open = await openStream({ credits: 9, limits: { ...limits, message_bytes: size } });
  const { stream, peer } = open;
  assert.throws(() => stream.send(data, { captured: 0.5, mask: new Uint8Array(70_001) }), {
    code: 'message_too_large',
    frame: 0,
  });
  stream.send(data, { captured: 0.5, mask: new Blob([mask]) });
  assert.equal((await peer.receive('frame')).mask?.length, 70_000);
});

test('an update above message_bytes is refused by the client, and so is one that cannot be encoded', async () => {
  const { limits } = readyMessage;
  await using open = await openStream({ limits: { ...limits, message_bytes: 5000 } });
  const { stream, peer } = open;
  await assert.rejects(stream.update({ prompt: 'x'.repeat(5000) }), { code: 'message_too_large' });
  await assert.rejects(stream.update({ seed: 10n ** 30n } as never), RangeError);
  const good = stream.update({ prompt: 'x' });
  const { request, parameters } = await peer.receive('update');
  assert.deepEqual(parameters, { prompt: 'x' });
  peer.send({ type: 'updated', request, from: 0, parameters: stream.parameters });
  await good;
});

test('a picture that waited is refused by the client if the next server accepts less', async () => {
  const { limits } = readyMessage;
  await using open = await openStream({ credits: 0 }, { reconnectSeconds: 30 });
  const { stream, server, peer: first } = open;
  const id = stream.send(new Uint8Array(3000));
  const next = stream.frames().next();
  const accepted = server.accept();
  first.terminate();
  const dropped = nextEvent(stream, 'dropped');
  const second = await accepted;
  await second.greet({ resumed: true, credits: 1, limits: { ...limits, message_bytes: 2000 } });
  assert.deepEqual(await dropped, { id, reason: 'invalid' });
  await assert.rejects(next, { code: 'message_too_large', frame: id });
  assert.equal(stream.credits, 1);
});

for (const resumed of [true, false]) {
  test(`a picture that was lost with its connection ends the wait for its result; resumed: ${resumed}`, async (t) => {
    await using open = await openStream({}, { reconnectSeconds: 30 });
    const { stream, server, peer: first } = open;
    const dropped: unknown[] = [];
    stream.on('dropped', (event) => dropped.push(event));
    stream.send(picture);
    await first.receive('frame');
    const next = stream.frames().next();
    const accepted = server.accept();
    first.terminate();
    const second = await accepted;
    const reconnected = nextEvent(stream, 'reconnected');
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await second.greet({ resumed });
    await reconnected;
    t.mock.timers.tick(15_000);
    await assert.rejects(next, { code: 'connection_lost', frame: 0 });
    assert.deepEqual(dropped, [{ id: 0, reason: 'failed' }]);
    assert.equal(stream.closed, false);
  });
}

test('a lost picture is not reported if its result still comes, or a newer picture follows', async (t) => {
  await using open = await openStream({}, { reconnectSeconds: 30 });
  const { stream, server } = open;
  let last = open.peer;
  const reconnect = async (): Promise<void> => {
    const accepted = server.accept();
    const reconnected = nextEvent(stream, 'reconnected');
    last.terminate();
    last = await accepted;
    t.mock.timers.enable({ apis: ['setTimeout'] });
    await last.greet({ resumed: true });
    await reconnected;
  };
  const frames = stream.frames();
  stream.send(picture);
  await last.receive('frame');
  await reconnect();
  last.send(result(1, { id: 0 }));
  assert.equal((await frames.next()).value?.id, 0);
  t.mock.timers.tick(15_000);
  t.mock.timers.reset();
  stream.send(picture);
  await last.receive('ack').catch(() => {});
  await reconnect();
  stream.send(picture);
  t.mock.timers.tick(15_000);
  const next = frames.next();
  last.send(result(1, { id: 2 }));
  assert.equal((await next).value?.id, 2);
});
