import assert from 'node:assert/strict';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { nextEvent, openStream, result, type OpenStream } from './protocol-server.js';

const interval = 20;

/** Returns the times of a result that was sent `ago` milliseconds ago, on the stream's clock. */
function sentAgo(ago: number): Pick<ReturnType<typeof result>, 'captured' | 'times'> {
  const sent = performance.now() - ago;
  return { captured: sent - 5, times: { ...result(1).times, sent } };
}

/** Sends results at a steady rate, so that the client learns the usual delay. */
async function flow({ stream, peer }: OpenStream): Promise<void> {
  for (let sequence = 1; sequence <= 6; sequence++) {
    await pause(interval);
    const arrived = nextEvent(stream, 'result');
    peer.send(result(sequence, sentAgo(0)));
    await arrived;
  }
}

/** Stops this whole process for a second, like a debugger, a sleeping laptop or SIGSTOP. */
function stall(): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
}

test('after a stall, buffered results are acknowledged and not shown', async () => {
  await using open = await openStream({ credits: 20 });
  const { stream, peer } = open;
  await flow(open);
  for (let id = 0; id < 10; id++) stream.send(Uint8Array.of(1));
  const shown: number[] = [];
  const stale: number[] = [];
  stream.on('result', ({ sequence }) => shown.push(sequence));
  stream.on('dropped', ({ id, reason }) => reason === 'stale' && stale.push(id));
  peer.send(result(7, { id: 6, ...sentAgo(0) }), result(8, { id: 7, ...sentAgo(0) }));
  stall();
  const fresh = nextEvent(stream, 'result');
  await nextEvent(stream, 'dropped', ({ id }) => id === 7);
  peer.send(result(9, { id: 8, ...sentAgo(0) }));
  await fresh;
  assert.deepEqual([shown, stale], [[9], [6, 7]]);
});

test('results of a server that has become permanently slower do not count as buffered ones', async () => {
  await using open = await openStream({ credits: 20 });
  const { stream, peer } = open;
  await flow(open);
  for (let id = 0; id < 20; id++) stream.send(Uint8Array.of(1));
  stall();
  const shown: number[] = [];
  stream.on('result', ({ sequence }) => shown.push(sequence));
  // A newer result always follows, and each is much older than was usual before the pause.
  const send = async (sequence: number, captured: number): Promise<void> => {
    const { times } = sentAgo(0);
    peer.send(
      result(sequence, { id: sequence - 1, captured, times }),
      result(sequence + 1, { id: sequence, captured, times }),
    );
    await nextEvent(stream, 'dropped', ({ id }) => id === sequence - 1);
  };
  await send(7, performance.now() - 2000);
  const since = performance.now();
  await pause(400);
  peer.send(result(9, { id: 8, captured: since, times: sentAgo(0).times }));
  await nextEvent(stream, 'result', ({ sequence }) => sequence === 9);
  assert.ok(!shown.includes(7));
});

test('the last result is shown, however old', async () => {
  await using open = await openStream({ credits: 20 });
  const { stream, peer } = open;
  await flow(open);
  peer.send(result(7, sentAgo(0)));
  stall();
  assert.equal((await nextEvent(stream, 'result')).sequence, 7);
});

test('a consumer that was busy for long gets a new result, not the waiting one', async () => {
  await using open = await openStream({ credits: 20 });
  const { stream, peer } = open;
  await flow(open);
  for (let id = 0; id < 10; id++) stream.send(Uint8Array.of(1));
  const frames = stream.frames();
  peer.send(result(7, { id: 6, ...sentAgo(0) }));
  await nextEvent(stream, 'result');
  await pause(800);
  const next = frames.next();
  peer.send(result(8, { id: 7, ...sentAgo(0) }));
  assert.equal((await next).value?.sequence, 8);
});

test('pictures without an input have no latency', async () => {
  await using open = await openStream({});
  const { stream, peer } = open;
  const updating = stream.update({ mode: 'txt2img' });
  const { request } = await peer.receive('update');
  peer.send({
    type: 'updated',
    request,
    from: 0,
    parameters: { ...stream.parameters, mode: 'txt2img' },
  });
  await updating;
  peer.send(result(1, { captured: 0 }));
  await peer.receive('ack');
  const { consumed, latency, path } = stream.stats();
  assert.deepEqual([consumed, latency, path], [1, undefined, undefined]);
});
