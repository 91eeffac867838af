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
  const gate = { held: false, holdsBack: false };
  const encodings: ReturnType<typeof deferred<Uint8Array<ArrayBuffer>>>[] = [];
  const sender = new ResultSender({
    unacknowledged: 2,
    held: () => gate.held,
    // Like a stall: what holds one result back holds all of them, until the gate opens again.
    holdsBack: () => (gate.held ||= gate.holdsBack) && gate.holdsBack,
    answer: () => !closed,
    stale: ({ id }) => void stale.push(id),
    encode() {
      const encoding = deferred<Uint8Array<ArrayBuffer>>();
      encodings.push(encoding);
      return encoding.promise;
    },
  });
  /** Ends all encodings. @returns their number. */
  const encoded = async (error: Error | null = null): Promise<number> => {
    const ended = encodings.splice(0);
    for (const encoding of ended) {
      if (error) encoding.reject(error);
      else encoding.resolve(new Uint8Array(1));
    }
    await turn();
    return ended.length;
  };
  /** Makes all frames count as answered. */
  const answered = (): void => void (closed = true);
  const close = (): void => {
    closed = true;
    sender.close();
  };
  return { sender, stale, gate, encoded, answered, close };
}

function line() {
  const ids: number[] = [];
  const reports: unknown[] = [];
  const send = (message: ServerMessage): void => {
    if (message.type === 'result') ids.push(message.id);
  };
  const meter = createMetrics().beginSession();
  const report: Outlet['report'] = (...what) => void reports.push(what);
  const outlet: Outlet = { clock: new ClientClock(), meter, send, report };
  return { outlet, ids, reports };
}

/** Puts a result in. @returns an object in which `back` becomes true when its pixels are returned. */
function put(sender: ResultSender, frame: Frame): { back: boolean } {
  const pixels = { back: false };
  void sender.put(frame, image).then(() => (pixels.back = true));
  return pixels;
}

describe('a result that is being encoded when the connection is lost', () => {
  it('goes to the next connection', async () => {
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

  it('returns its pixels if the sender is closed', async () => {
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
  it('returns how long the client took no result, and rejects acknowledgements of unsent results', async (t) => {
    const pass = stopTime(t);
    const { sender, encoded } = setUp();
    assert.equal(sender.acknowledge(0), null, 'there is no connection');
    sender.connect(line().outlet);
    assert.equal(sender.acknowledge(1), null, 'it has not been sent');
    for (const id of [1, 2]) {
      pass(30);
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
    assert.equal(sender.acknowledge(0), 0, 'each connection has its own window');
  });

  it('averages the interval of results, and counts a stall as four intervals', async (t) => {
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

describe('a result that is held back', () => {
  it('is not encoded while results are held, or while it is held back itself', async () => {
    const { sender, gate, encoded } = setUp();
    const { outlet, ids } = line();
    sender.connect(outlet);
    for (const [id, reason] of (['held', 'holdsBack'] as const).entries()) {
      gate[reason] = true;
      const pixels = put(sender, frameOf(id));
      assert.equal(await encoded(), 0);
      assert.deepEqual([ids.includes(id), pixels.back], [false, false]);
      Object.assign(gate, { held: false, holdsBack: false });
      sender.poke();
      assert.equal(await encoded(), 1);
      assert.deepEqual([ids.includes(id), pixels.back], [true, true]);
    }
  });

  it('keeps its pixels and uses no place in the window if it is encoded already', async () => {
    const { sender, gate, encoded, stale } = setUp();
    const { outlet, ids } = line();
    sender.connect(outlet);
    const pixels = put(sender, frameOf(0));
    for (let time = 0; time < 3; time++) {
      gate.holdsBack = true;
      assert.equal(await encoded(), 1);
      assert.deepEqual([ids, pixels.back, sender.open], [[], false, true]);
      Object.assign(gate, { held: false, holdsBack: false });
      sender.poke();
    }
    const newer = put(sender, frameOf(1));
    await encoded();
    assert.deepEqual([ids, pixels.back, newer.back], [[0], true, false]);
    await encoded();
    assert.deepEqual([ids, stale], [[0, 1], []]);
    assert.equal(sender.open, false, 'two are on the way');
  });
});

describe('a result that cannot be sent', () => {
  it('because its frame is answered, returns its place and its pixels', async () => {
    const { sender, encoded, answered } = setUp();
    const { outlet, ids } = line();
    sender.connect(outlet);
    answered();
    for (const id of [0, 1, 2]) {
      const pixels = put(sender, frameOf(id));
      await encoded();
      assert.deepEqual([pixels.back, sender.open], [true, true]);
    }
    assert.deepEqual(ids, []);
    assert.equal(sender.acknowledge(1), null);
  });

  it('because it cannot be encoded, returns them too, and the error names the frame', async () => {
    const { sender, encoded } = setUp();
    const { outlet, ids, reports } = line();
    sender.connect(outlet);
    const fault = new Error('no memory');
    for (const id of [4, 5, -1]) {
      const pixels = put(sender, frameOf(id));
      await encoded(fault);
      assert.deepEqual([pixels.back, sender.open], [true, true]);
    }
    const text = 'the result could not be encoded';
    assert.deepEqual(
      reports,
      [4, 5, 0].map((id) => ['internal', text, { id }, fault]),
    );
    assert.deepEqual(ids, []);
  });
});

it('the meter gets each result with the time from capture to arrival, null for frames of the server', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const { sender, encoded } = setUp();
  const { outlet } = line();
  outlet.clock.adjust(50);
  const sent = t.mock.method(outlet.meter, 'frameSent');
  sender.connect(outlet);
  for (const [sequence, id] of [0, 1, -1].entries()) {
    const frame = { ...frameOf(id), arrivedAt: 900, captured: 930, decodeMs: 5, queueMs: 15 };
    void sender.put(frame, {
      ...image,
      timings: { queueMs: 1, vaeEncodeMs: 2, denoiseMs: 3, vaeDecodeMs: 4 },
    });
    now += 20;
    await encoded();
    sender.acknowledge(sequence + 1);
  }
  const stages = { decode: 5, queue: 15, encode: 2, denoise: 3, vae_decode: 4, image_encode: 20 };
  assert.deepEqual(
    sent.mock.calls.map(({ arguments: given }) => given),
    [
      [1, { ...stages, total: 120 }, 20],
      [2, { ...stages, total: 140 }, 20],
      [3, { ...stages, total: 160 }, null],
    ],
  );
});
