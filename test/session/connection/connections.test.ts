import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage, errors, type ServerMessage, type StreamParameters } from '@millrace/protocol';
import { pino } from 'pino';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { Admission } from '../../../src/session/admission/admission.js';
import type { ClientConnection } from '../../../src/session/connection/client-connection.js';
import { Connections } from '../../../src/session/connection/connections.js';
import type { ConnectionContext } from '../../../src/session/connection/context.js';
import { ManualEngine } from '../manual-engine.js';
import { sessionContext } from '../rig.js';

interface Client {
  readonly session: ClientConnection;
  /** Limits of frames per second that were sent to it; null: no limit. */
  readonly limits: (number | null)[];
}

interface LogLine {
  readonly level: number;
  readonly msg: string;
  readonly err: { readonly message: string };
}

async function greet(session: ClientConnection, parameters: object = {}): Promise<void> {
  session.receive(encodeMessage({ type: 'hello', parameters }));
  while (session.state !== 'active') await turn();
}

async function join(connections: Connections, parameters: object = {}): Promise<Client> {
  const limits: (number | null)[] = [];
  const connection = {
    bufferedBytes: 0,
    send(message: ServerMessage): void {
      if (message.type === 'quality') limits.push(message.fps);
    },
    close: () => {},
  };
  const session = connections.enter(connection);
  assert.ok(session);
  await greet(session, parameters);
  return { session, limits };
}

describe('the sessions of an overloaded engine', () => {
  it('are limited to their shares, and informed when these change', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    let shares: readonly (number | null)[] = [null, null];
    const asked: (readonly StreamParameters[])[] = [];
    const share = (streams: readonly StreamParameters[]): readonly (number | null)[] => {
      asked.push(streams);
      return shares;
    };
    const connections = new Connections(
      sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '', checkCall: () => {} } }),
    );
    const [small, large] = [await join(connections), await join(connections, { width: 128 })];
    const paused = await join(connections, { paused: true });

    t.mock.timers.tick(1000);
    assert.deepEqual(
      asked.map((streams) => streams.map(({ width }) => width)),
      [[64, 128]],
    );
    assert.deepEqual([small.limits, large.limits], [[], []]);
    assert.equal(connections.census().limited, 0);

    shares = [null, 4];
    t.mock.timers.tick(1000);
    // A change too small to notice is not sent.
    shares = [7.123, 4.2];
    t.mock.timers.tick(1000);
    assert.deepEqual([small.limits, large.limits, paused.limits], [[7.12], [4], []]);
    assert.equal(connections.census().limited, 2);

    shares = [null, null];
    t.mock.timers.tick(1000);
    assert.deepEqual(
      [small.limits, large.limits],
      [
        [7.12, null],
        [4, null],
      ],
    );
    assert.equal(connections.census().limited, 0);

    shares = [3, 3];
    connections.close();
    t.mock.timers.tick(5000);
    assert.deepEqual([small.limits.length, large.limits.length], [2, 2]);
    assert.equal(asked.length, 4, 'a server that stops computes no shares');
  });

  it('share its time with the decoding of pictures, and with the images of the last two seconds', async (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const asked: unknown[] = [];
    const images = [{ width: 256 } as StreamParameters];
    const recentImages = (ms: number): StreamParameters[] => {
      assert.equal(ms, 2000);
      return images;
    };
    const share: ConnectionContext['capacity']['share'] = (_streams, other) => {
      asked.push(other);
      return [null];
    };
    const context = sessionContext(
      new ManualEngine(),
      {},
      { capacity: { share, basis: '', checkCall: () => {} }, recentImages },
    );
    const connections = new Connections(context);
    await join(connections);
    t.mock.timers.tick(1000);
    assert.deepEqual(asked, [{ decodeMs: [0], decoders: 1, images, imagesMs: 2000 }]);
    connections.close();
  });

  it('continue unchanged if its time cannot be divided, and the log says so', (t) => {
    t.mock.timers.enable({ apis: ['setInterval'] });
    const lines: LogLine[] = [];
    const log = pino({}, { write: (line) => void lines.push(JSON.parse(line) as LogLine) });
    const share = (): never => {
      throw new Error('no costs');
    };
    const connections = new Connections(
      sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '', checkCall: () => {} }, log }),
    );
    t.mock.timers.tick(2000);
    const line = [50, 'engine time could not be divided among sessions', 'no costs'];
    assert.deepEqual(
      lines.map(({ level, msg, err }) => [level, msg, err.message]),
      [line, line],
    );
    connections.close();
  });
});

/** Returns the connections of a server with this number of slots and places in the queue. */
function setUp(slots: number, queueLength: number, queueTimeoutMs = 60_000) {
  const admission = new Admission({ slots: () => slots, queueLength, queueTimeoutMs });
  const metrics = createMetrics();
  const context = sessionContext(new ManualEngine(), {}, { admission, metrics });
  return { admission, metrics, context, connections: new Connections(context) };
}

/** A client that has not said hello. */
function enter(connections: Connections): ClientConnection {
  const session = connections.enter({ bufferedBytes: 5, send: () => {}, close: () => {} });
  assert.ok(session);
  return session;
}

/** A client that waits for a slot. */
async function wait(connections: Connections, admission: Admission): Promise<ClientConnection> {
  const before = admission.waiting;
  const session = enter(connections);
  session.receive(encodeMessage({ type: 'hello' }));
  while (admission.waiting === before) await turn();
  return session;
}

describe('a connection to a full server', () => {
  it('is refused with the reason, and counted', async (t) => {
    const { metrics, connections } = setUp(1, 0);
    const counted = t.mock.method(metrics, 'error');
    const refused = t.mock.method(metrics, 'sessionRefused');
    assert.equal(connections.refusal, null);
    await join(connections);
    assert.equal(connections.refusal, 'too_many_sessions');
    const sent: ServerMessage[] = [];
    const closed: unknown[] = [];
    const connection = {
      bufferedBytes: 0,
      send: (message: ServerMessage) => void sent.push(message),
      close: (...how: unknown[]) => void closed.push(how),
    };
    assert.equal(connections.enter(connection), null);
    const code = 'too_many_sessions';
    assert.deepEqual(sent, [{ type: 'error', code, message: errors[code].meaning }]);
    assert.deepEqual(closed, [[1013, code]]);
    assert.deepEqual(
      counted.mock.calls.map(({ arguments: [error] }) => error),
      [code],
    );
    assert.equal(refused.mock.callCount(), 1);
    assert.equal(connections.summaries(9).length, 1);
    connections.close();
  });

  it('is admitted while a session is parked: the client may be the one that resumes it', async () => {
    const { admission, connections } = setUp(2, 0);
    const { session } = await join(connections);
    const other = await join(connections);
    connections.leave(session, 1006);
    assert.deepEqual([admission.full, connections.refusal], [true, null]);
    connections.leave(other.session, 1006);
    assert.deepEqual([admission.full, connections.refusal], [true, null]);
    connections.close();
  });

  it('is admitted up to 64 beyond those that are served or wait', async () => {
    const { admission, connections } = setUp(1, 2);
    await join(connections);
    await wait(connections, admission);
    for (let count = 0; count < 63; count++) enter(connections);
    assert.equal(connections.refusal, null);
    enter(connections);
    assert.equal(connections.refusal, 'too_many_sessions');
    connections.close();
  });

  it('may try again after the estimated wait, in whole seconds, at least one', () => {
    const waits = [0, 400, 1000, 1100, 60_000, 1e6].map((most) => setUp(1, 0, most).connections.retryAfter);
    assert.deepEqual(waits, [1, 1, 1, 2, 60, 60]);
  });
});

describe('the census', () => {
  it('counts connections by state, and those that wait for a slot', async () => {
    const { admission, connections } = setUp(2, 3);
    await join(connections);
    const { session } = await join(connections);
    for (let count = 0; count < 2; count++) await wait(connections, admission);
    enter(connections);
    session.close('internal');
    const { sessions: states, slots, queued, bufferedBytes, draining } = connections.census();
    assert.deepEqual(states, { opening: 1, queued: 2, active: 1, parked: 1, closing: 1 });
    assert.deepEqual([slots, queued, bufferedBytes, draining], [2, 2, 15, false]);
    connections.close();
    assert.equal(connections.census().draining, true);
  });
});

describe('a server that drains', () => {
  it('does not wait if there is no connection, and leaves no timer behind', async () => {
    const timers = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    const empty = setUp(2, 0);
    await empty.connections.drain(60_000);
    const { connections } = setUp(2, 0);
    const { session } = await join(connections);
    // The pace of its frames begins with a short timer.
    while (timers() > before) await turn();
    const drained = connections.drain(60_000);
    assert.equal(timers(), before + 1);
    connections.leave(session, 1000);
    await drained;
    assert.equal(timers(), before);
  });

  it('asks clients to leave if it gives them time, even a millisecond', async () => {
    for (const [ms, expected] of [
      [0, []],
      [1, [0.001]],
    ] as const) {
      const { context, connections } = setUp(2, 0);
      const deadlines: number[] = [];
      const closed: string[] = [];
      const session = connections.enter({
        bufferedBytes: 0,
        send: (message) => void (message.type === 'drain' && deadlines.push(message.deadline_seconds)),
        close: (_, reason) => void closed.push(reason),
      });
      assert.ok(session);
      await greet(session);
      const away = await join(connections);
      connections.leave(away.session, 1006);
      await connections.drain(ms);
      assert.deepEqual([deadlines, closed], [expected, ['shutting_down']]);
      assert.equal(context.sessions.parked, 0, 'parked sessions are removed');
    }
  });
});
