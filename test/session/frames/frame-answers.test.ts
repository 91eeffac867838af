import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FrameLedger, type Frame } from '../../../src/session/frames/frame-ledger.js';
import { createClient, type Client } from './parts.js';

const receive = (ledger: FrameLedger, id: number): Frame => {
  const frame = ledger.receive(id, 0, 0);
  assert.ok(frame);
  return frame;
};

/** Returns a ledger with two credits and a client, and everything that is reported to the client and the meter. */
function setUp() {
  const reported: unknown[] = [];
  const client = createClient();
  client.outlet.meter.frameDropped = (reason) => void reported.push(reason);
  client.outlet.send = (message) => void reported.push(message);
  const ledger = new FrameLedger(2);
  return { ledger, client, reported };
}

describe('a dropped frame', () => {
  it('is reported once and returns its credit; one that the server made is reported only to the meter', () => {
    const { ledger, client, reported } = setUp();
    ledger.connect(client.outlet);
    for (const id of [0, 1]) {
      const frame = receive(ledger, id);
      assert.deepEqual([ledger.drop(frame, 'stale'), ledger.drop(frame, 'failed')], [true, false]);
      const credit = { type: 'credit', total: 3 + id };
      assert.deepEqual(reported.splice(0), ['stale', { type: 'dropped', id, reason: 'stale' }, credit]);
    }
    assert.equal(ledger.drop(ledger.create(0), 'failed'), true);
    assert.deepEqual(reported, ['failed']);
  });

  it('cannot have a result, and a frame with a result cannot be dropped', () => {
    const { ledger, client, reported } = setUp();
    ledger.connect(client.outlet);
    const [first, second] = [receive(ledger, 0), receive(ledger, 1)];
    assert.deepEqual([ledger.answer(first), ledger.answer(first)], [true, false]);
    assert.deepEqual([ledger.drop(first, 'stale'), reported], [false, []]);
    ledger.drop(second, 'stale');
    assert.equal(ledger.answer(second), false);
  });

  it('is recorded without a connection, and not reported', () => {
    const { ledger, client, reported } = setUp();
    ledger.connect(client.outlet);
    assert.equal(ledger.outlet, client.outlet);
    const frames = [receive(ledger, 0), receive(ledger, 1)];
    ledger.disconnect();
    assert.equal(ledger.outlet, null);
    assert.equal(ledger.drop(frames[0], 'stale'), true);
    assert.deepEqual([reported, ledger.total, ledger.open()], [[], 3, [frames[1]]]);
  });
});

it('a credit is returned once for each frame, counted from the start of the connection', () => {
  const { ledger, client, reported } = setUp();
  ledger.connect(client.outlet);
  const [first, second] = [receive(ledger, 0), receive(ledger, 1)];
  ledger.admit(first, 80, 0);
  ledger.admit(first, 80, 0);
  assert.deepEqual(reported.splice(0), [{ type: 'credit', total: 3 }]);
  ledger.connect(client.outlet);
  ledger.admit(second, 80, 0);
  assert.deepEqual([reported, ledger.total], [[], 2], 'it was sent over the previous connection');
  ledger.admit(receive(ledger, 2), 80, 0);
  assert.deepEqual(reported, [{ type: 'credit', total: 3 }]);
});

it('no frame is answered after close', () => {
  const { ledger, client, reported } = setUp();
  ledger.connect(client.outlet);
  const frame = receive(ledger, 0);
  ledger.close();
  assert.deepEqual([ledger.answer(frame), ledger.drop(frame, 'stale'), reported], [false, false, []]);
  assert.deepEqual([ledger.find(0), ledger.open(), ledger.outlet], [undefined, [], null]);
});

describe('in whatever order things happen to frames', () => {
  const anyAction = fc.oneof(
    { arbitrary: fc.record({ what: fc.constantFrom('receive', 'create') }), weight: 3 },
    { arbitrary: fc.record({ what: fc.constantFrom('connect', 'disconnect') }), weight: 1 },
    {
      arbitrary: fc.record({
        what: fc.constantFrom('begin', 'enter', 'admit', 'finish', 'result', 'drop'),
        which: fc.nat(9),
      }),
      weight: 9,
    },
  );

  type Action = typeof anyAction extends fc.Arbitrary<infer Value> ? Value : never;

  class Run {
    readonly ledger = new FrameLedger(2);
    readonly frames: Frame[] = [];
    readonly clients: Client[] = [];
    /** Ids of answered frames. */
    readonly answers: number[] = [];
    /** Frames of the current connection, and those of them that hold a credit. */
    received = 0;
    readonly #holders = new Set<Frame>();

    do(action: Action): void {
      const { ledger } = this;
      switch (action.what) {
        case 'receive': {
          const frame = receive(ledger, ledger.nextId);
          this.frames.push(frame);
          this.#holders.add(frame);
          this.received += 1;
          break;
        }
        case 'create':
          this.frames.push(ledger.create(0));
          break;
        case 'connect': {
          const client = createClient();
          this.clients.push(client);
          ledger.connect(client.outlet);
          this.received = 0;
          this.#holders.clear();
          break;
        }
        case 'disconnect':
          ledger.disconnect();
          break;
        default:
          if ('which' in action) this.#move(action.what, this.frames[action.which]);
      }
      const total = 2 + this.received - this.#holders.size;
      assert.deepEqual([ledger.total, ledger.overdrawn], [total, this.received > total]);
    }

    #move(what: 'begin' | 'enter' | 'admit' | 'finish' | 'result' | 'drop', frame: Frame | undefined): void {
      const { ledger } = this;
      if (frame === undefined) return;
      const open = ledger.find(frame.id) === frame;
      let answered = false;
      if (what === 'begin') {
        if (open) ledger.begin(frame);
      } else if (what === 'enter' || what === 'finish') ledger[what](frame, 0);
      else if (what === 'drop') answered = ledger.drop(frame, 'stale');
      else {
        ledger.admit(frame, 80, 0);
        this.#holders.delete(frame);
        if (what === 'result') answered = ledger.answer(frame);
      }
      if (what === 'drop') this.#holders.delete(frame);
      if (what === 'drop' || what === 'result') assert.equal(answered, open);
      if (answered) this.answers.push(frame.id);
    }
  }

  it('each is answered once and returns one credit, and no client learns of one twice', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(anyAction, { maxLength: 60 }), async (actions) => {
        const run = new Run();
        const { ledger, frames, clients, answers } = run;
        for (const action of actions) run.do(action);
        for (const which of frames.keys()) run.do({ what: 'drop', which });
        const ids = frames.map(({ id }) => id);
        assert.deepEqual(new Set(answers), new Set(ids));
        assert.equal(answers.length, ids.length);
        assert.deepEqual(ledger.open(), []);
        await ledger.allAdmitted();
        for (const { sent } of clients) {
          const credits = sent.flatMap((message) => (message.type === 'credit' ? message.total : []));
          assert.deepEqual(
            credits,
            credits.map((_, i) => 3 + i),
          );
        }
        const dropped = clients.flatMap(({ sent }) =>
          sent.flatMap((message) => (message.type === 'dropped' ? message.id : [])),
        );
        assert.equal(new Set(dropped).size, dropped.length);
        assert.ok(dropped.every((id) => id >= 0));
      }),
    );
  });
});
