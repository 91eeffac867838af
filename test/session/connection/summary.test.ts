import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage, type ServerMessage } from '@millrace/protocol';
import { createMetrics } from '../../../src/metrics/metrics.js';
import { afterClose, afterError } from '../../../src/session/connection/close-policy.js';
import type { ClientConnection } from '../../../src/session/connection/client-connection.js';
import { Connections } from '../../../src/session/connection/connections.js';
import type { ConnectionContext } from '../../../src/session/connection/context.js';
import { ManualEngine } from '../manual-engine.js';
import { picture, sessionContext } from '../rig.js';

interface Rig {
  readonly engine: ManualEngine;
  readonly connections: Connections;
  /** What was sent to all clients. */
  readonly sent: ServerMessage[];
  readonly closed: string[];
  /** A client that has not said hello. */
  readonly enter: (address?: string) => ClientConnection;
  readonly join: (parameters?: object, address?: string) => Promise<ClientConnection>;
}

function setUp(changes: Partial<ConnectionContext> = {}): Rig {
  const engine = new ManualEngine();
  const connections = new Connections(sessionContext(engine, {}, changes));
  const sent: ServerMessage[] = [];
  const closed: string[] = [];
  const enter: Rig['enter'] = (address) => {
    const session = connections.enter({
      ...(address !== undefined && { address }),
      bufferedBytes: 5,
      send: (message) => void sent.push(message),
      close: (_, reason) => void closed.push(reason),
    });
    assert.ok(session);
    return session;
  };
  const join: Rig['join'] = async (parameters = {}, address?: string) => {
    const session = enter(address);
    session.receive(encodeMessage({ type: 'hello', parameters }));
    while (session.state !== 'active') await turn();
    return session;
  };
  return { engine, connections, sent, closed, enter, join };
}

describe('the summaries for an operator', () => {
  it('contain state, address and work of each session, and the length of its prompt', async () => {
    const { connections, enter, join } = setUp();
    const active = await join(
      {
        prompt: [
          { text: 'abc', weight: 1 },
          { text: 'de', weight: 1 },
        ],
        negative_prompt: 'f',
        t_index_list: [1, 2, 3],
      },
      '10.0.0.1',
    );
    const plain = await join({ prompt: 'abcd', negative_prompt: '', t_index_list: null, steps: 2 });
    const opening = enter();
    const rows = connections.summaries(9);
    assert.deepEqual(
      rows.map(({ id, state, address, fpsLimit, picture }) => [id, state, address, fpsLimit, picture]),
      [
        [active.id, 'active', '10.0.0.1', null, false],
        [plain.id, 'active', null, null, false],
        [opening.id, 'opening', null, null, false],
      ],
    );
    const stream = { width: 64, height: 64, mode: 'img2img', paused: false };
    assert.deepEqual(
      rows.map((row) => row.stream),
      [{ ...stream, steps: 3, promptLength: 6 }, { ...stream, steps: 2, promptLength: 4 }, null],
    );
    assert.equal(connections.census().bufferedBytes, 15);
    for (const session of [active, plain, opening]) connections.leave(session, 1000);
    assert.deepEqual(connections.summaries(9), []);
  });

  it('list parked sessions last, up to the requested number', async () => {
    const { connections, join } = setUp();
    const lost = await join();
    const here = await join();
    const { id: lostId } = lost;
    connections.leave(lost, 1006);
    assert.deepEqual(
      connections.summaries(9).map(({ id, state, figures }) => [id, state, figures === null]),
      [
        [here.id, 'active', false],
        [lostId, 'parked', true],
      ],
    );
    assert.deepEqual(
      connections.summaries(1).map(({ id }) => id),
      [here.id],
    );
    const { opening, ...others } = connections.census().sessions;
    assert.equal(Math.abs(opening), 0);
    assert.deepEqual(others, { queued: 0, active: 1, parked: 1, closing: 0 });
    connections.close();
  });

  it('include the last picture if pictures are kept', async () => {
    for (const keepPictures of [true, false]) {
      const { engine, connections, sent, join } = setUp({ keepPictures });
      const session = await join();
      assert.equal(connections.picture(session.id), null);
      session.receive(encodeMessage({ type: 'frame', id: 0, captured: 0, data: picture }));
      const [stream] = engine.streams;
      while (stream.waiting === null) await turn();
      stream.admit();
      stream.finish();
      while (!sent.some(({ type }) => type === 'result')) await turn();
      const result = sent.find((message) => message.type === 'result');
      assert.equal(connections.picture(session.id), keepPictures ? result?.data : null);
      assert.equal(connections.summaries(1)[0]?.picture, keepPictures);
      assert.equal(connections.picture('another'), null);
      connections.leave(session, 1000);
    }
  });
});

describe('a server that stops', () => {
  it('admits no new session, and ends the others when the time is up', async () => {
    const { connections, sent, closed, join } = setUp();
    const session = await join();
    assert.deepEqual([connections.draining, connections.refusal], [false, null]);
    const drained = connections.drain(20);
    assert.equal(connections.drain(0), drained, 'the first deadline counts');
    assert.deepEqual([connections.draining, connections.refusal], [true, 'shutting_down']);
    assert.equal(connections.enter({ bufferedBytes: 0, send: () => {}, close: () => {} }), null);
    await drained;
    const drain = sent.find((message) => message.type === 'drain');
    assert.equal(drain?.deadline_seconds, 0.02);
    assert.ok(drain.token);
    assert.deepEqual(closed, ['shutting_down']);
    connections.leave(session, 1001);
  });

  it('stops waiting when the last client has left, and measures how long each drain took', async (t) => {
    const metrics = createMetrics();
    const drained = t.mock.method(metrics, 'drained');
    const { connections, join } = setUp({ metrics });
    connections.leave(await join(), 1000);
    assert.equal(drained.mock.callCount(), 0, 'it was not asked to leave');
    const session = await join();
    const begin = performance.now();
    const empty = connections.drain(60_000);
    connections.leave(session, 1000);
    await empty;
    const [call] = drained.mock.calls;
    assert.ok(call.arguments[0] >= 0 && call.arguments[0] <= performance.now() - begin);
  });
});

describe('the end of a connection', () => {
  it('parks, removes or ends the session', () => {
    assert.deepEqual([1000, 1001, 1005, 1006, 1011].map(afterClose), ['end', 'end', 'end', 'park', 'park']);
    assert.deepEqual((['idle_timeout', 'slow_reader', 'internal', 'unauthorized'] as const).map(afterError), [
      'park',
      'park',
      'park',
      'park',
    ]);
    assert.deepEqual([afterError('shutting_down'), afterError('taken_over')], ['remove', 'end']);
  });
});
