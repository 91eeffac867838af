import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage, type ServerMessage, type StreamParameters } from '@millrace/protocol';
import type { ClientConnection } from '../../../src/session/connection/client-connection.js';
import { Connections } from '../../../src/session/connection/connections.js';
import { ManualEngine } from '../manual-engine.js';
import { sessionContext } from '../rig.js';

interface Client {
  readonly session: ClientConnection;
  /** Frames a second that it was told of; null: any number. */
  readonly told: (number | null)[];
}

async function join(connections: Connections, parameters: object = {}): Promise<Client> {
  const told: (number | null)[] = [];
  const connection = {
    bufferedBytes: 0,
    send(message: ServerMessage): void {
      if (message.type === 'quality') told.push(message.fps);
    },
    close: () => {},
  };
  const session = connections.enter(connection);
  assert.ok(session);
  session.receive(encodeMessage({ type: 'hello', parameters }));
  while (session.state !== 'active') await turn();
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
    const connections = new Connections(
      sessionContext(new ManualEngine(), {}, { capacity: { share, basis: '' } }),
    );
    const [small, large] = [await join(connections), await join(connections, { width: 128 })];
    const paused = await join(connections, { paused: true });

    t.mock.timers.tick(1000);
    assert.deepEqual(
      asked.map((streams) => streams.map(({ width }) => width)),
      [[64, 128]],
    );
    assert.deepEqual([small.told, large.told], [[], []]);
    assert.equal(connections.census().limited, 0);

    shares = [null, 4];
    t.mock.timers.tick(1000);
    // A change that nobody would notice is not told.
    shares = [7.123, 4.2];
    t.mock.timers.tick(1000);
    assert.deepEqual([small.told, large.told, paused.told], [[7.12], [4], []]);
    assert.equal(connections.census().limited, 2);

    shares = [null, null];
    t.mock.timers.tick(1000);
    assert.deepEqual(
      [small.told, large.told],
      [
        [7.12, null],
        [4, null],
      ],
    );
    assert.equal(connections.census().limited, 0);

    shares = [3, 3];
    connections.close();
    t.mock.timers.tick(5000);
    assert.deepEqual([small.told.length, large.told.length], [2, 2]);
  });
});
