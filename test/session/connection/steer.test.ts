import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { setImmediate as turn } from 'node:timers/promises';
import { encodeMessage, type ServerMessage } from '@millrace/protocol';
import type { Access } from '../../../src/session/access/access.js';
import { anonymous } from '../../../src/session/access/grant.js';
import type { ClientConnection } from '../../../src/session/connection/client-connection.js';
import { Connections } from '../../../src/session/connection/connections.js';
import { ManualEngine } from '../manual-engine.js';
import { sessionContext } from '../rig.js';

interface Client {
  readonly connection: ClientConnection;
  readonly sent: readonly ServerMessage[];
  /** Lets this many bytes wait for the network. */
  readonly buffer: (bytes: number) => void;
}

/** A token is the number of steps that it allows. */
const access: Access = {
  required: false,
  verify: (token) =>
    Promise.resolve({ ...anonymous, limits: token === undefined ? {} : { steps: Number(token) } }),
};
const connections = new Connections(sessionContext(new ManualEngine(), {}, { access }));

async function join(token?: string): Promise<Client> {
  const sent: ServerMessage[] = [];
  const wire = {
    bufferedBytes: 0,
    send: (message: ServerMessage) => void sent.push(message),
    close: () => {},
  };
  const buffer = (bytes: number): void => void (wire.bufferedBytes = bytes);
  const connection = connections.enter(wire);
  assert.ok(connection);
  connection.receive(encodeMessage({ type: 'hello', ...(token !== undefined && { token }) }));
  while (connection.state !== 'active') await turn();
  return { connection, sent, buffer };
}

const of = (client: Client, type: ServerMessage['type']): readonly ServerMessage[] =>
  client.sent.filter((message) => message.type === type);

/** Changes all active sessions. @returns how many there are. @throws what the first one refuses, after the others. */
async function steerAll(parameters: object): Promise<number> {
  const outcomes = await Promise.allSettled(
    connections.active.map((id) => connections.steer(parameters, id)),
  );
  const refused = outcomes.find((outcome) => outcome.status === 'rejected');
  if (refused) throw refused.reason;
  return outcomes.length;
}

describe('a change in the place of the clients', () => {
  it('is for all active sessions or for one, and within what each may do', async () => {
    const free = await join();
    const limited = await join('2');
    assert.equal(await steerAll({ strength: 0.5 }), 2);
    assert.equal(await connections.steer({ seed: 3 }, free.connection.id), true);
    assert.equal(await connections.steer({ seed: 3 }, 'nobody'), false);
    await assert.rejects(steerAll({ steps: 4 }), {
      name: 'ProtocolError',
      code: 'limit_exceeded',
    });
    await assert.rejects(steerAll({ steps: 99 }), { name: 'ParameterError', field: 'steps' });
    await assert.rejects(steerAll({ colour: 'red' }), { name: 'ParameterError' });
    const steps = of(free, 'updated').map(
      (message) => message.type === 'updated' && message.parameters.steps,
    );
    assert.deepEqual(steps, [1, 1, 4], 'the session that may gets it');
    assert.equal(of(limited, 'updated').length, 1);
    // It is not the client's fault.
    assert.deepEqual([...of(free, 'error'), ...of(limited, 'error')], []);
  });

  it('is for none that has no stream yet', async () => {
    const opening = connections.enter({ bufferedBytes: 0, send: () => {}, close: () => {} });
    assert.equal(opening?.state, 'opening');
    assert.equal(await steerAll({ seed: 5 }), 2);
  });

  it('is for none whose client does not read: what it is told would fill the memory', async () => {
    const deaf = await join();
    deaf.buffer(1e9);
    await steerAll({ seed: 6 });
    assert.deepEqual(
      of(deaf, 'error').map((message) => message.type === 'error' && message.code),
      ['slow_reader'],
    );
    assert.equal(of(deaf, 'updated').length, 0);
  });
});
