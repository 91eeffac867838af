import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { Rig } from './rig.js';

/** Returns a rig with an active txt2img session. */
async function txt2img(fps = 0): Promise<Rig> {
  const rig = new Rig();
  rig.send({ type: 'hello', parameters: { mode: 'txt2img', fps } });
  await rig.until(() => rig.connection.state === 'active');
  return rig;
}

/** Passes the waiting frame through the engine, and acknowledges its result. */
async function show(rig: Rig): Promise<void> {
  const shown = rig.all('result').length;
  await rig.until(() => rig.stream.waiting !== null);
  rig.stream.admit();
  rig.stream.finish();
  await rig.until(() => rig.all('result').length > shown);
  rig.send({ type: 'ack', sequence: shown + 1 });
}

test('txt2img makes frames without input, as fast as the client takes them', async () => {
  const rig = await txt2img();
  for (let frame = 0; frame < 5; frame++) await show(rig);
  assert.deepEqual(
    rig.all('result').map(({ id, captured, sequence }) => [id, captured, sequence]),
    [0, 1, 2, 3, 4].map((id) => [id, 0, id + 1]),
  );
  assert.deepEqual(rig.all('credit'), [], 'they cost the client nothing');
  rig.connection.disconnected(1000);
});

test('txt2img with a rate makes frames no faster', async () => {
  const start = performance.now();
  const rig = await txt2img(20);
  for (let frame = 0; frame < 5; frame++) await show(rig);
  // Four whole intervals of 50 ms lie between five frames; timers may be a millisecond early.
  assert.ok(performance.now() - start >= 4 * 50 - 5);
  rig.connection.disconnected(1000);
});

test('a client that does not acknowledge gets no further frames', async () => {
  const rig = await txt2img();
  for (let frame = 0; frame < 2; frame++) {
    await rig.until(() => rig.stream.waiting !== null);
    rig.stream.admit();
    rig.stream.finish();
    await rig.until(() => rig.all('result').length > frame);
  }
  const made = rig.stream.pushed.length;
  await rig.settled();
  assert.equal(rig.stream.pushed.length, made);
  assert.ok(made <= 3);
  rig.connection.disconnected(1000);
});

test('the mode changes while the stream runs, in both directions', async () => {
  const rig = await Rig.active();
  await rig.generate(7);
  await rig.until(() => rig.all('result').length === 1);
  rig.send({ type: 'ack', sequence: 1 });
  rig.send({ type: 'update', request: 1, parameters: { mode: 'txt2img' } });
  await rig.until(() => rig.all('updated').length === 1);
  assert.equal(rig.all('updated')[0]?.from, 0);
  rig.frame(8);
  assert.deepEqual(rig.drops, ['8 superseded'], 'its input is not needed');
  await show(rig);
  assert.equal(rig.all('result').at(-1)?.id, 0);

  rig.send({ type: 'update', request: 2, parameters: { mode: 'img2img' } });
  await rig.until(() => rig.all('updated').length === 2);
  assert.equal(rig.all('updated')[1]?.from, 9, "it affects the client's next frame");
  rig.stream.admit();
  const made = rig.stream.pushed.length;
  await rig.settled();
  assert.equal(rig.stream.pushed.length, made, 'it makes no more frames');
  await rig.generate(9);
  rig.connection.disconnected(1000);
});

test("a client's frame that the engine starts after a change of the mode does not trigger another one", async () => {
  const rig = await Rig.active();
  rig.frame(0);
  await rig.until(() => rig.stream.waiting?.frame === 0);
  // The engine has started it before the next one comes; the session does not know yet.
  rig.stream.waiting = null;
  rig.send({ type: 'update', request: 1, parameters: { mode: 'txt2img' } });
  await rig.until(() => rig.stream.waiting?.frame === -1);
  rig.stream.listener.onAdmitted(0);
  await rig.settled();
  assert.deepEqual(rig.stream.pushed, [0, -1]);
  rig.stream.admit();
  await rig.until(() => rig.stream.waiting?.frame === -2);
  rig.connection.disconnected(1000);
});

test('a paused stream takes no frames and makes none; the newest one is used after the pause', async () => {
  const rig = await Rig.active();
  rig.send({ type: 'update', request: 1, parameters: { paused: true } });
  await rig.until(() => rig.all('updated').length === 1);
  for (const id of [0, 1, 2]) rig.frame(id);
  await rig.settled();
  assert.deepEqual(rig.stream.pushed, []);
  assert.deepEqual(rig.drops, ['0 superseded', '1 superseded']);
  rig.send({ type: 'update', request: 2, parameters: { paused: false } });
  await rig.until(() => rig.stream.waiting !== null);
  assert.deepEqual(rig.stream.pushed, [2]);

  rig.send({ type: 'update', request: 3, parameters: { paused: true, mode: 'txt2img' } });
  await rig.until(() => rig.all('updated').length === 3);
  rig.stream.admit();
  await rig.settled();
  assert.deepEqual(rig.stream.pushed, [2]);
  rig.connection.disconnected(1000);
});

test('while the engine restarts, txt2img does not retry frames in a tight loop', async () => {
  const rig = await txt2img();
  await rig.until(() => rig.stream.waiting !== null);
  const made = rig.stream.pushed.length;
  rig.stream.restart();
  await rig.settled();
  assert.ok(rig.stream.pushed.length <= made + 1);
  // It continues.
  await rig.until(() => rig.stream.pushed.length > made);
  assert.deepEqual(rig.drops, [], 'the client knew nothing of the lost frame');
  rig.connection.disconnected(1000);
});

test('a txt2img session that ends leaves nothing behind', async () => {
  const rig = await txt2img(100);
  await show(rig);
  rig.connection.disconnected(1000);
  const made = rig.stream.pushed.length;
  await sleep(50);
  assert.equal(rig.stream.pushed.length, made);
  assert.ok(rig.stream.closed);
});
