import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage, errors, type ServerMessage, type StreamParameters } from '@millrace/protocol';
import { pino } from 'pino';
import { createMetrics } from '../../src/metrics/metrics.js';
import { Admission } from '../../src/session/admission/admission.js';
import type { Session } from '../../src/session/session.js';
import { Sessions } from '../../src/session/sessions.js';
import type { SessionContext } from '../../src/session/seats/context.js';
import { ManualEngine } from './manual-engine.js';
import { sessionContext } from './rig.js';

interface Client {
  readonly session: Session;
  /** Frames a second that it was told of; null: any number. */
  readonly told: (number | null)[];
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly err: { readonly message: string };
}

async function greet(session: Session, parameters: object = {}): Promise<void> {
  session.receive(encodeMessage({ type: 'hello', parameters }));
  while (session.state !== 'active') await turn();
}

async function join(sessions: Sessions, parameters: object = {}): Promise<Client> {
  const told: (number | null)[] = [];
  const connection = {
    bufferedBytes: 0,
    send(message: ServerMessage): void {
      if (message.type === 'quality') told.push(message.fps);
    },
    close: () => {},
  };
  const session = sessions.enter(connection);
  assert.ok(session);
  await greet(session, parameters);
  return { session, told };
}

describe('the sessions of an engine that is short of time', () => {
  it('are held to their shares, and told when those change', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let shares: readonly (number | null)[] = [null, null];
    const asked: (readonly StreamParameters[])[] = [];
    const share = (streams: readonly StreamParameters[]): readonly (number | null)[] => {
      asked.push(streams);
      return shares;
    };
    const sessions = new Sessions(sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '' } }));
    const [small, large] = [await join(sessions), await join(sessions, { width: 128 })];
    const paused = await join(sessions, { paused: true });

    t.mock.timers.tick(1000);
    assert.deepEqual(
      asked.map((streams) => streams.map(({ width }) => width)),
      [[64, 128]],
    );
    assert.deepEqual([small.told, large.told], [[], []]);
    assert.equal(sessions.census().limited, 0);

    shares = [null, 4];
    t.mock.timers.tick(1000);
    // A change that nobody would notice is not told.
    shares = [7.123, 4.2];
    t.mock.timers.tick(1000);
    assert.deepEqual([small.told, large.told, paused.told], [[7.12], [4], []]);
    assert.equal(sessions.census().limited, 2);

    shares = [null, null];
    t.mock.timers.tick(1000);
    assert.deepEqual(
      [small.told, large.told],
      [
        [7.12, null],
        [4, null],
      ],
    );
    assert.equal(sessions.census().limited, 0);

    shares = [3, 3];
    sessions.close();
    t.mock.timers.tick(5000);
    assert.deepEqual([small.told.length, large.told.length], [2, 2]);
    assert.equal(asked.length, 4, 'a server that stops shares nothing out');
  });

  it('share it with pictures that are decoded, and with images of the last two seconds', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const asked: unknown[] = [];
    const images = [{ width: 256 } as StreamParameters];
    const recentImages = (ms: number): StreamParameters[] => {
      assert.equal(ms, 2000);
      return images;
    };
    const share: SessionContext['capacity']['share'] = (_streams, other) => {
      asked.push(other);
      return [null];
    };
    const context = sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '' }, recentImages });
    const sessions = new Sessions(context);
    await join(sessions);
    t.mock.timers.tick(1000);
    assert.deepEqual(asked, [{ decodeMs: [0], decoders: 1, images, imagesMs: 2000 }]);
    sessions.close();
  });

  it('go on as they were where it cannot be shared out, which is in the log', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const lines: LogLine[] = [];
    const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
    const share = (): never => {
      throw new Error('no costs');
    };
    const sessions = new Sessions(
      sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '' }, log }),
    );
    t.mock.timers.tick(2000);
    const line = [50, "the engine's time could not be shared out", 'no costs'];
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, err.message]),
      [line, line],
    );
    sessions.close();
  });
});

/** Sessions with so many slots, and places in the queue. */
function setUp(slots: number, queueLength: number, queueTimeout = 60_000) {
  const admission = new Admission({ capacity: () => slots, queueLength, queueTimeout });
  const metrics = createMetrics();
  const context = sessionContext(new ManualEngine(), {}, { admission, metrics });
  return { admission, metrics, context, sessions: new Sessions(context) };
}

/** A client that has not said hello. */
function enter(sessions: Sessions): Session {
  const session = sessions.enter({ bufferedBytes: 5, send: () => {}, close: () => {} });
  assert.ok(session);
  return session;
}

/** A client that waits for a slot. */
async function wait(sessions: Sessions, admission: Admission): Promise<Session> {
  const before = admission.waiting;
  const session = enter(sessions);
  session.receive(encodeMessage({ type: 'hello' }));
  while (admission.waiting === before) await turn();
  return session;
}

describe('a connection to a server that is full', () => {
  it('is refused with the reason, and counted', async (t) => {
    const { metrics, sessions } = setUp(1, 0);
    const counted = t.mock.method(metrics, 'error');
    const refused = t.mock.method(metrics, 'sessionRefused');
    assert.equal(sessions.refusal, null);
    await join(sessions);
    assert.equal(sessions.refusal, 'too_many_sessions');
    const sent: ServerMessage[] = [];
    const closed: unknown[] = [];
    const connection = {
      bufferedBytes: 0,
      send: (message: ServerMessage) => void sent.push(message),
      close: (...how: unknown[]) => void closed.push(how),
    };
    assert.equal(sessions.enter(connection), null);
    const code = 'too_many_sessions';
    assert.deepEqual(sent, [{ type: 'error', code, message: errors[code].meaning }]);
    assert.deepEqual(closed, [[1013, code]]);
    assert.deepEqual(
      counted.mock.calls.map(({ arguments: [error] }) => error),
      [code],
    );
    assert.equal(refused.mock.callCount(), 1);
    assert.equal(sessions.summaries(9).length, 1);
    sessions.close();
  });

  it('is let in where a session is away: the client may be the one that comes back', async () => {
    const { admission, sessions } = setUp(2, 0);
    const { session } = await join(sessions);
    const other = await join(sessions);
    sessions.leave(session, 1006);
    assert.deepEqual([admission.full, sessions.refusal], [true, null]);
    sessions.leave(other.session, 1006);
    assert.deepEqual([admission.full, sessions.refusal], [true, null]);
    sessions.close();
  });

  it('may be one of 64 besides those that are served or wait', async () => {
    const { admission, sessions } = setUp(1, 2);
    await join(sessions);
    await wait(sessions, admission);
    for (let count = 0; count < 63; count++) enter(sessions);
    assert.equal(sessions.refusal, null);
    enter(sessions);
    assert.equal(sessions.refusal, 'too_many_sessions');
    sessions.close();
  });

  it('may try again after the usual wait, in whole seconds, at least one', () => {
    const waits = [0, 400, 1000, 1100, 60_000, 1e6].map((most) => setUp(1, 0, most).sessions.retryAfter);
    assert.deepEqual(waits, [1, 1, 1, 2, 60, 60]);
  });
});

describe('the census', () => {
  it('counts connections by their state, and those that wait for a slot', async () => {
    const { admission, sessions } = setUp(2, 3);
    await join(sessions);
    const { session } = await join(sessions);
    for (let count = 0; count < 2; count++) await wait(sessions, admission);
    enter(sessions);
    session.close('internal');
    const { sessions: states, slots, queued, bufferedBytes, draining } = sessions.census();
    assert.deepEqual(states, { opening: 1, queued: 2, active: 1, parked: 1, closing: 1 });
    assert.deepEqual([slots, queued, bufferedBytes, draining], [2, 2, 15, false]);
    sessions.close();
    assert.equal(sessions.census().draining, true);
  });
});

describe('a server that is to stop', () => {
  it('does not wait where nobody is there, and leaves no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const empty = setUp(2, 0);
    await empty.sessions.drain(60_000);
    const { sessions } = setUp(2, 0);
    const { session } = await join(sessions);
    // The pace of its frames begins with a short one.
    while (timers() > before) await turn();
    const drained = sessions.drain(60_000);
    assert.equal(timers(), before + 1);
    sessions.leave(session, 1000);
    await drained;
    assert.equal(timers(), before);
  });

  it('tells clients to go if it gives them time, be it a millisecond', async () => {
    for (const [ms, told] of [
      [0, []],
      [1, [0.001]],
    ] as const) {
      const { context, sessions } = setUp(2, 0);
      const deadlines: number[] = [];
      const closed: string[] = [];
      const session = sessions.enter({
        bufferedBytes: 0,
        send: (message) => void (message.type === 'drain' && deadlines.push(message.deadline_seconds)),
        close: (_, reason) => void closed.push(reason),
      });
      assert.ok(session);
      await greet(session);
      const away = await join(sessions);
      sessions.leave(away.session, 1006);
      await sessions.drain(ms);
      assert.deepEqual([deadlines, closed], [told, ['shutting_down']]);
      assert.equal(context.seats.parked, 0, 'those that are away are given up');
    }
  });
});
