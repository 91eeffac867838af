import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import type { ServerMessage } from '@millrace/protocol';
import { deferred } from '../../../src/engine/deferred.js';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { ClientClock } from '../../../src/session/wire/client-clock.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import type { Outlet } from '../../../src/session/wire/outlet.js';
import { stopTime } from '../../support/stopped-time.js';
import { ResultSender } from '../../../src/session/frames/result-sender.js';

const timings = { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 0, vaeDecodeMs: 0 };
const image = { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3), timings };

function frameOf(id: number): Frame {
  return { id, captured: 0, arrivedAt: 0, place: 'output', decodeMs: 0, queueMs: 0, quality: 80 };
}

/** A sender whose pictures are encoded when the test says so. */
function setUp() {
  const stale: number[] = [];
  let closed = false;
  const encodings: ReturnType<typeof deferred<Uint8Array<ArrayBuffer>>>[] = [];
  const sender = new ResultSender({
    unacknowledged: 2,
    held: () => false,
    holdsBack: () => false,
    answer: () => !closed,
    stale: ({ id }) => void stale.push(id),
    encode() {
      const encoding = deferred<Uint8Array<ArrayBuffer>>();
      encodings.push(encoding);
      return encoding.promise;
    },
  });
  const encoded = async (): Promise<void> => {
    for (const encoding of encodings.splice(0)) encoding.resolve(new Uint8Array(1));
    await turn();
  };
  const close = (): void => {
    closed = true;
    sender.close();
  };
  return { sender, stale, encoded, close };
}

function line(): { readonly outlet: Outlet; readonly ids: number[] } {
  const ids: number[] = [];
  const send = (message: ServerMessage): void => {
    if (message.type === 'result') ids.push(message.id);
  };
  const meter = createMetrics().beginSession();
  return { outlet: { clock: new ClientClock(), meter, send, report: () => {} }, ids };
}

describe('a result that is being encoded when the connection is lost', () => {
  it('goes to the next', async () => {
    const { sender, encoded } = setUp();
    const [before, after] = [line(), line()];
    sender.connect(before.outlet);
    const given = sender.put(frameOf(7), image);
    sender.disconnect();
    await encoded();
    sender.connect(after.outlet);
    await encoded();
    await given;
    assert.deepEqual([before.ids, after.ids], [[], [7]]);
  });

  it('gives way to a newer one', async () => {
    const { sender, encoded, stale } = setUp();
    const [before, after] = [line(), line()];
    sender.connect(before.outlet);
    const given = sender.put(frameOf(7), image);
    sender.disconnect();
    void sender.put(frameOf(8), image);
    await encoded();
    await given;
    sender.connect(after.outlet);
    await encoded();
    assert.deepEqual([after.ids, stale], [[8], [7]]);
  });

  it('gives its pixels back if there will be none', async () => {
    const { sender, encoded, close } = setUp();
    sender.connect(line().outlet);
    const given = sender.put(frameOf(7), image);
    sender.disconnect();
    close();
    await encoded();
    await given;
  });
});

describe('a sender', () => {
  it('knows how long the client took no result, and what is not its to acknowledge', async (t) => {
    const pass = stopTime(t);
    const { sender, encoded } = setUp();
    assert.equal(sender.acknowledge(0), null, 'there is no connection');
    sender.connect(line().outlet);
    assert.equal(sender.acknowledge(1), null, 'it has not been sent');
    for (const id of [1, 2]) {
      void sender.put(frameOf(id), image);
      await encoded();
    }
    assert.equal(sender.open, false);
    pass(250);
    assert.equal(sender.acknowledge(0), 0, 'an old one opens nothing');
    pass(50);
    assert.equal(sender.acknowledge(1), 300);
    assert.equal(sender.open, true);
    pass(10);
    assert.equal(sender.acknowledge(2), 0, 'it was open');
    void sender.put(frameOf(3), image);
    await encoded();
    void sender.put(frameOf(4), image);
    await encoded();
    pass(20);
    sender.disconnect();
    assert.equal(sender.open, false);
    sender.connect(line().outlet);
    assert.equal(sender.acknowledge(0), 0, 'another connection has a window of its own');
  });

  it('follows the time from result to result, and takes a stall for four times the usual', async (t) => {
    const pass = stopTime(t);
    const { sender, encoded } = setUp();
    sender.connect(line().outlet);
    let sequence = 0;
    const send = async (): Promise<void> => {
      void sender.put(frameOf(sequence), image);
      await encoded();
      sequence += 1;
      sender.acknowledge(sequence);
    };
    await send();
    assert.equal(sender.interval, 100);
    pass(20);
    await send();
    assert.equal(sender.interval, 90);
    pass(2000);
    await send();
    assert.equal(sender.interval, 90 + (360 - 90) / 8);
    sender.disconnect();
    sender.connect(line().outlet);
    sequence = 0;
    const before = sender.interval;
    pass(5000);
    await send();
    assert.equal(sender.interval, before, 'the time without a connection does not count');
  });
});
