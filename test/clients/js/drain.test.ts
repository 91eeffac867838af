import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { MillraceStream } from '@millrace/client';
import {
  nextEvent,
  openStream,
  readyMessage,
  result,
  type OpenStream,
  type Peer,
} from './protocol-server.js';

const jpeg = Uint8Array.of(1);

interface Drained extends OpenStream {
  /** The connection to the next server, which is open; its hello may not have come. */
  readonly next: Peer;
  /** Ids of the results that were shown. */
  readonly shown: readonly number[];
  readonly dropped: readonly unknown[];
}

/** Returns a stream with two frames under way whose server drains, and which sends no more frames to it. */
async function drained({ deadline_seconds = 20 } = {}): Promise<Drained> {
  const open = await openStream({}, { reconnectSeconds: 30 });
  const { stream, server, peer } = open;
  const shown: number[] = [];
  const dropped: unknown[] = [];
  stream.on('result', ({ id }) => shown.push(id));
  stream.on('dropped', ({ id, reason }) => dropped.push([id, reason]));
  stream.send(jpeg);
  stream.send(jpeg);
  assert.equal((await peer.receive('frame')).id, 0);
  assert.equal((await peer.receive('frame')).id, 1);
  const accepted = server.accept();
  peer.send({ type: 'credit', total: 4 }, { type: 'drain', deadline_seconds, token: 'early' });
  const next = await accepted;
  await until(() => stream.credits === 0);
  return { ...open, next, shown, dropped };
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await turn();
}

/** Returns whether hello has come by the time that `peer` has everything from the client. */
async function greeted(
  stream: MillraceStream,
  peers: readonly Peer[],
  hello: Promise<unknown>,
): Promise<boolean> {
  let came = false;
  void hello.then(() => (came = true));
  for (const peer of peers) await peer.flushed();
  assert.equal(stream.closed, false);
  return came;
}

describe('a stream whose server drains', () => {
  it('moves when all frames are answered, with the token after their results', async () => {
    await using open = await drained();
    const { stream, peer: first, next, shown, dropped } = open;
    const hello = next.greet({ resumed: true, credits: 2 });
    stream.send(jpeg);
    stream.send(jpeg);
    first.send(result(1));
    assert.equal((await first.receive('ack')).sequence, 1);
    assert.equal(await greeted(stream, [first, next], hello), false, 'a frame has no answer');
    first.send(result(2));
    assert.equal((await first.receive('ack')).sequence, 2, 'and no frame before it');
    assert.equal(await greeted(stream, [first, next], hello), false, 'the token is older than the result');
    const reconnected = nextEvent(stream, 'reconnected');
    first.send({ type: 'checkpoint', token: 'late' });
    assert.equal((await hello).resume, 'late');
    assert.deepEqual(await reconnected, { resumed: true });
    assert.equal(await first.closed, 1000);
    // Of the frames meanwhile, the newest wins.
    assert.equal((await next.receive('frame')).id, 3);
    assert.deepEqual([shown, dropped], [[0, 1], [[2, 'no_credit']]]);
  });

  it('counts a drop as an answer', async () => {
    await using open = await drained();
    const { peer: first, next, dropped } = open;
    first.send(
      result(1),
      { type: 'checkpoint', token: 'late' },
      { type: 'dropped', id: 1, reason: 'similar' },
    );
    assert.equal((await next.greet({ resumed: true })).resume, 'late');
    assert.deepEqual(dropped, [[1, 'similar']]);
  });

  it('shows no result twice that the next server repeats, but acknowledges it', async () => {
    await using open = await drained();
    const { stream, peer: first, next, shown } = open;
    first.send(result(1), result(2));
    // An older server sends no token after the results.
    const reconnected = nextEvent(stream, 'reconnected');
    assert.equal((await next.greet({ resumed: true })).resume, 'early');
    await reconnected;
    next.send(result(1, { id: 0 }), result(2, { id: 1 }));
    assert.equal((await next.receive('ack')).sequence, 1);
    assert.equal((await next.receive('ack')).sequence, 2);
    assert.deepEqual(shown, [0, 1]);
    assert.equal(stream.send(jpeg), 2);
    await next.receive('frame');
    next.send(result(3));
    await next.receive('ack');
    assert.deepEqual(shown, [0, 1, 2]);
  });

  it('shows all results of a server that counts its own frames from 0 again', async () => {
    await using open = await drained();
    const { stream, peer: first, next, shown } = open;
    first.send(result(1), result(2), { type: 'checkpoint', token: 'late' });
    const reconnected = nextEvent(stream, 'reconnected');
    await next.greet({ resumed: true, parameters: { ...readyMessage.parameters, mode: 'txt2img' } });
    await reconnected;
    next.send(result(1, { id: 0 }));
    await next.receive('ack');
    assert.deepEqual(shown, [0, 1, 0]);
  });

  it('waits for answers until half of the deadline at most', async () => {
    await using open = await drained({ deadline_seconds: 0.5 });
    assert.equal((await open.next.greet({ resumed: true })).resume, 'early');
    assert.equal(await open.peer.closed, 1000);
    assert.deepEqual(open.dropped, []);
  });

  it('waits no longer when its connection is lost', async () => {
    await using open = await drained();
    const reconnected = nextEvent(open.stream, 'reconnected');
    open.peer.terminate();
    assert.equal((await open.next.greet({ resumed: true })).resume, 'early');
    assert.deepEqual(await reconnected, { resumed: true });
  });

  it('is served by it while it waits for a slot of the next', async () => {
    await using open = await drained();
    const { stream, peer: first, next, shown, dropped } = open;
    first.send(result(1), result(2), { type: 'checkpoint', token: 'late' });
    assert.equal((await next.receive('hello')).resume, 'late');
    await first.receive('ack');
    await first.receive('ack');
    next.send({ type: 'queued', position: 1, wait_seconds: 1 });
    stream.send(jpeg);
    assert.equal((await first.receive('frame')).id, 2);
    next.send({ ...readyMessage, resumed: true });
    await until(() => stream.credits === 0);
    stream.send(jpeg);
    first.send(result(3));
    assert.equal((await first.receive('ack')).sequence, 3, 'and no frame before it');
    assert.equal(await first.closed, 1000);
    assert.equal((await next.receive('frame')).id, 3);
    assert.deepEqual([shown, dropped], [[0, 1, 2], []]);
  });

  it('is served by it while the next refuses it', async () => {
    await using open = await drained();
    const { stream, server, peer: first, next } = open;
    first.send(result(1), result(2), { type: 'checkpoint', token: 'late' });
    await next.receive('hello');
    await first.receive('ack');
    await first.receive('ack');
    const accepted = server.accept();
    next.send({ type: 'error', code: 'too_many_sessions', message: 'full' });
    stream.send(jpeg);
    assert.equal((await first.receive('frame')).id, 2);
    first.send(result(3), { type: 'checkpoint', token: 'later' });
    assert.equal((await (await accepted).greet({ resumed: true })).resume, 'later');
    assert.equal(await first.closed, 1000);
  });

  it('goes on over its connection if no other can be had', async () => {
    await using open = await drained({ deadline_seconds: 0.5 });
    const { stream, peer: first, next } = open;
    await next.receive('hello');
    next.send({ type: 'error', code: 'limit_exceeded', message: 'too large' });
    stream.send(jpeg);
    assert.equal((await first.receive('frame')).id, 2);
  });

  it('keeps a picture that is being read, for the next', async () => {
    await using open = await openStream({}, { reconnectSeconds: 30 });
    const { stream, server, peer: first } = open;
    let read: () => void = () => {};
    const blob = new Blob([jpeg]);
    blob.arrayBuffer = async () => {
      await new Promise<void>((resolve) => (read = resolve));
      return jpeg.buffer;
    };
    stream.send(blob);
    const accepted = server.accept();
    first.send({ type: 'drain', deadline_seconds: 20, token: 'last' });
    const next = await accepted;
    await until(() => stream.credits === 0);
    read();
    await next.greet({ resumed: true });
    await until(() => stream.stats().reconnects === 1);
    read();
    assert.equal((await next.receive('frame')).id, 0);
    assert.equal(stream.stats().sent, 1);
  });
});
