import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { deferred } from '../../../src/engine/deferred.js';
import { FrameGate } from '../../../src/session/frames/frame-gate.js';
import type { Frame } from '../../../src/session/frames/frame-ledger.js';
import { ResultSender } from '../../../src/session/frames/result-sender.js';
import type { Image } from '../../../src/image/image.js';
import { createClient, createParts, type Client } from './parts.js';

const timings = { queueMs: 0, vaeEncodeMs: 0, denoiseMs: 0, vaeDecodeMs: 0 };
const image = { width: 8, height: 8, data: new Uint8Array(8 * 8 * 3), timings };

/** A gate that also holds results back when the test says so. */
class TestGate extends FrameGate {
  held = false;
  holds = false;

  override get maySend(): boolean {
    return super.maySend && !this.held;
  }

  override holdBack(): boolean {
    // Like a stall: what holds one result back holds all of them, until the gate opens again.
    this.held ||= this.holds;
    return this.holds;
  }
}

/** A sender whose pictures are encoded when the test says so. */
function setUp() {
  const { ledger, feed } = createParts();
  const gate = new TestGate({ feed, pauses: { last: { end: -Infinity, ms: 0 } }, unacknowledged: 2 });
  const stale: number[] = [];
  const drop = ledger.drop.bind(ledger);
  ledger.drop = (frame, reason) => {
    if (reason === 'stale') stale.push(frame.id);
    return drop(frame, reason);
  };
  const encodings: ReturnType<typeof deferred<Uint8Array<ArrayBuffer>>>[] = [];
  const encode = (): Promise<Uint8Array<ArrayBuffer>> => {
    const encoding = deferred<Uint8Array<ArrayBuffer>>();
    encodings.push(encoding);
    return encoding.promise;
  };
  const encodePreview = ({ width }: Image): Promise<Uint8Array<ArrayBuffer>> =>
    Promise.resolve(Uint8Array.of(width));
  const sender = new ResultSender({ ledger, gate, pictures: { encode, encodePreview } });
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
  const frameOf = (id: number): Frame => ledger.adopt({ id, captured: 0 }, 80, 0);
  const connect = (client: Client): void => {
    ledger.connect(client.outlet);
    gate.connect();
    sender.poke();
  };
  const disconnect = (): void => {
    ledger.disconnect();
    gate.disconnect();
  };
  const close = (): void => {
    ledger.close();
    gate.close();
    sender.clear();
  };
  return { sender, ledger, gate, stale, encoded, frameOf, connect, disconnect, close };
}

/** Returns the ids of the results that a client got. */
const idsOf = ({ sent }: Client): readonly number[] =>
  sent.flatMap((message) => (message.type === 'result' ? message.id : []));

/** Puts a result in. @returns an object in which `back` becomes true when its pixels are returned. */
function put(sender: ResultSender, frame: Frame): { back: boolean } {
  const pixels = { back: false };
  void sender.put(frame, image).then(() => (pixels.back = true));
  return pixels;
}

describe('a result with pictures of controls', () => {
  it('brings small copies of them; one without has no such field', async () => {
    const { sender, encoded, frameOf, connect } = setUp();
    const client = createClient();
    connect(client);
    const picture = (width: number): Image => ({ width, height: 1, data: new Uint8Array(3 * width) });
    void sender.put(frameOf(7), { ...image, controls: { depth: picture(5), canny: picture(6) } });
    await encoded();
    void sender.put(frameOf(8), image);
    await encoded();
    const results = client.sent.filter((message) => message.type === 'result');
    assert.deepEqual(
      results.map(({ controls }) => controls),
      [{ depth: Uint8Array.of(5), canny: Uint8Array.of(6) }, undefined],
    );
    assert.deepEqual(
      results.map((result) => 'controls' in result),
      [true, false],
    );
  });
});

describe('a result that is being encoded when the connection is lost', () => {
  it('goes to the next connection', async () => {
    const { sender, encoded, frameOf, connect, disconnect } = setUp();
    const [before, after] = [createClient(), createClient()];
    connect(before);
    const given = sender.put(frameOf(7), image);
    disconnect();
    await encoded();
    connect(after);
    await encoded();
    await given;
    assert.deepEqual([idsOf(before), idsOf(after)], [[], [7]]);
  });

  it('gives way to a newer one', async () => {
    const { sender, encoded, stale, frameOf, connect, disconnect } = setUp();
    const [before, after] = [createClient(), createClient()];
    connect(before);
    const given = sender.put(frameOf(7), image);
    disconnect();
    void sender.put(frameOf(8), image);
    await encoded();
    await given;
    connect(after);
    await encoded();
    assert.deepEqual([idsOf(after), stale], [[8], [7]]);
  });

  it('returns its pixels if the sender is closed', async () => {
    const { sender, encoded, close, frameOf, connect, disconnect } = setUp();
    connect(createClient());
    const given = sender.put(frameOf(7), image);
    disconnect();
    close();
    await encoded();
    await given;
  });
});

describe('a result that is held back', () => {
  it('is not encoded while results are held, or while it is held back itself', async () => {
    const { sender, gate, encoded, frameOf, connect } = setUp();
    const client = createClient();
    connect(client);
    for (const [id, reason] of (['held', 'holds'] as const).entries()) {
      gate[reason] = true;
      const pixels = put(sender, frameOf(id));
      assert.equal(await encoded(), 0);
      assert.deepEqual([idsOf(client).includes(id), pixels.back], [false, false]);
      Object.assign(gate, { held: false, holds: false });
      sender.poke();
      assert.equal(await encoded(), 1);
      assert.deepEqual([idsOf(client).includes(id), pixels.back], [true, true]);
    }
  });

  it('keeps its pixels and uses no place in the window if it is encoded already', async () => {
    const { sender, gate, encoded, stale, frameOf, connect } = setUp();
    const client = createClient();
    connect(client);
    const pixels = put(sender, frameOf(0));
    for (let time = 0; time < 3; time++) {
      gate.holds = true;
      assert.equal(await encoded(), 1);
      assert.deepEqual([idsOf(client), pixels.back, gate.window?.open], [[], false, true]);
      Object.assign(gate, { held: false, holds: false });
      sender.poke();
    }
    const newer = put(sender, frameOf(1));
    await encoded();
    assert.deepEqual([idsOf(client), pixels.back, newer.back], [[0], true, false]);
    await encoded();
    assert.deepEqual([idsOf(client), stale], [[0, 1], []]);
    assert.equal(gate.window?.open, false, 'two are on the way');
  });
});

describe('a result that cannot be sent', () => {
  it('because its frame is answered, returns its place and its pixels', async () => {
    const { sender, ledger, gate, encoded, frameOf, connect } = setUp();
    const client = createClient();
    connect(client);
    for (const id of [0, 1, 2]) {
      const frame = frameOf(id);
      ledger.answer(frame);
      const pixels = put(sender, frame);
      await encoded();
      assert.deepEqual([pixels.back, gate.window?.open], [true, true]);
    }
    assert.deepEqual(idsOf(client), []);
    assert.equal(gate.acknowledge(1), false);
  });

  it('because it cannot be encoded, returns them too, and the error names the frame', async () => {
    const { sender, gate, encoded, frameOf, connect } = setUp();
    const client = createClient();
    connect(client);
    const fault = new Error('no memory');
    for (const id of [4, 5, -1]) {
      const pixels = put(sender, frameOf(id));
      await encoded(fault);
      assert.deepEqual([pixels.back, gate.window?.open], [true, true]);
    }
    const text = 'the result could not be encoded';
    assert.deepEqual(
      client.reports,
      [4, 5, 0].map((id) => ['internal', text, { id }, fault]),
    );
    assert.deepEqual(idsOf(client), []);
  });
});

it('the meter gets each result with the time from capture to arrival, null for frames of the server', async (t) => {
  let now = 1000;
  t.mock.method(performance, 'now', () => now);
  const { sender, gate, encoded, frameOf, connect } = setUp();
  const client = createClient();
  const { outlet } = client;
  outlet.clock.adjust(50);
  const sent = t.mock.method(outlet.meter, 'frameSent');
  connect(client);
  for (const [sequence, id] of [0, 1, -1].entries()) {
    const frame = Object.assign(frameOf(id), { arrivedAt: 900, captured: 930, inputMs: 5, queueMs: 15 });
    void sender.put(frame, {
      ...image,
      timings: { queueMs: 1, vaeEncodeMs: 2, denoiseMs: 3, vaeDecodeMs: 4 },
    });
    now += 20;
    await encoded();
    gate.acknowledge(sequence + 1);
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

it('a client is told which results are blurred, and nothing about others', async () => {
  const { sender, encoded, frameOf, connect } = setUp();
  const client = createClient();
  connect(client);
  for (const [id, flagged] of [
    [1, true],
    [2, false],
  ] as const) {
    void sender.put(frameOf(id), { ...image, flagged });
    await encoded();
  }
  const results = client.sent.filter((message) => message.type === 'result');
  assert.deepEqual(
    results.map((message) => ('flagged' in message ? message.flagged : 'absent')),
    [true, 'absent'],
  );
});
