import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { after, describe, it } from 'node:test';
import { parameterSchemasFor } from '@millrace/protocol';
import { pino } from 'pino';
import { ParameterError } from '../../src/engine/engine.js';
import { readPacket } from '../../src/transport/osc-packet.js';
import { OscServer } from '../../src/transport/osc-server.js';
import { freePort } from '../support/free-port.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { bundle, message, sendPacket } from './osc-client.js';

const oscPort = await freePort();
const server = await startServer({ oscPort });
await server.app.ready();
after(() => server[Symbol.asyncDispose]());

describe('OSC of a server', () => {
  it('changes parameters of all sessions, or of one, and tells their clients', async () => {
    await using first = await StreamClient.open(server.streamUrl, { prompt: 'a' });
    await using second = await StreamClient.open(server.streamUrl, { prompt: 'b' });
    const strength = message('/millrace/strength', [['f', 0.75]]);
    await sendPacket(oscPort, bundle(strength, message('/prompt', [['s', 'for all']])));
    for (const client of [first, second]) {
      const { request, parameters } = await client.first('updated');
      assert.equal(request, Number.MAX_SAFE_INTEGER);
      assert.deepEqual([parameters.strength, parameters.prompt], [0.75, 'for all']);
    }
    const { session } = await second.first('ready');
    await sendPacket(oscPort, message(`/millrace/${session}/prompt`, [['s', 'for one']]));
    const changed = await second.until(() => second.all('updated')[1]);
    assert.equal(changed.parameters.prompt, 'for one');
    // The client's own updates start from what is in force.
    first.send({ type: 'update', request: 0, parameters: { seed: 9 } });
    const own = await first.until(() => first.all('updated').find(({ request }) => request === 0));
    assert.deepEqual(
      [own.parameters.strength, own.parameters.prompt, own.parameters.seed],
      [0.75, 'for all', 9],
    );
    assert.equal(first.all('updated').length, 2);
    assert.deepEqual([...first.all('error'), ...second.all('error')], []);
  });

  it('answers /millrace/help with where everything is described, and describes it there', async () => {
    const answer = await sendPacket(oscPort, message('/millrace/help', []), true);
    const [help] = readPacket(answer ?? Buffer.alloc(0));
    assert.equal(help?.address, '/millrace/help');
    assert.match(String(help?.values[0]), new RegExp(`^http://HOST:${oscPort}/ describes every address`));
    const url = `http://127.0.0.1:${oscPort}`;
    const read = async (path: string): Promise<Record<string, unknown>> =>
      (await (await fetch(url + path)).json()) as Record<string, unknown>;
    const { DESCRIPTION, ...strength } = await read('/millrace/strength');
    assert.match(String(DESCRIPTION), /How much of the picture may change/);
    const about = { FULL_PATH: '/millrace/strength', TYPE: 'f', ACCESS: 2, RANGE: [{ MIN: 0, MAX: 1 }] };
    assert.deepEqual(strength, about);
    assert.deepEqual(await read('/millrace/steps?TYPE'), { TYPE: 'i' });
    assert.deepEqual((await read('/?HOST_INFO'))['OSC_PORT'], oscPort);
    assert.ok(JSON.stringify(await read('/')).includes('/millrace/prompt'));
    assert.equal((await fetch(`${url}/millrace/colour`)).status, 404);
    assert.equal((await fetch(`${url}/millrace/constructor`)).status, 404);
    assert.equal((await fetch(`${url}/millrace?TYPE`)).status, 204);
    assert.equal((await fetch(url, { method: 'POST' })).status, 405);
  });
});

describe('OscServer', () => {
  const schemas = parameterSchemasFor({});
  const sessions = (): readonly string[] => ['a'];

  it('counts what it cannot use, logs some of it, and goes on', async () => {
    const lines: string[] = [];
    const log = pino({ level: 'warn' }, { write: (line) => void lines.push(line) });
    const steered: object[] = [];
    const steer = async (update: object, session: string): Promise<boolean> => {
      await Promise.resolve();
      if ('steps' in update) throw new ParameterError('steps', 'steps must be 1');
      steered.push(update);
      return session === 'a';
    };
    await using osc = new OscServer({ schemas, sessions, steer, log });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    for (let index = 0; index < 20; index++) await sendPacket(port, Buffer.from('no packet at all'));
    await sendPacket(port, message('/colour', [['s', 'red']]));
    await sendPacket(port, message('/steps', [['i', 99]]));
    await sendPacket(port, message('/millrace/nobody/seed', [['i', 1]]));
    await sendPacket(port, message('/strength', [['f', 0.5]]));
    while (steered.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(steered.at(-1), { strength: 0.5 });
    while (osc.refused < 23) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(osc.refused, 23);
    assert.ok(lines.length >= 1 && lines.length <= 6, `${lines.length}`);
    assert.match(
      lines[0] ?? '',
      /"refused":1,.*OSC: an address must begin with a slash|OSC: a text has no end/,
    );
  });

  it('joins what arrives while it is busy into one change with the newest values', async () => {
    const steered: object[] = [];
    let release: (isKnown: boolean) => void = () => {};
    const steer = (update: object): Promise<boolean> => {
      steered.push(update);
      return new Promise((resolve) => (release = resolve));
    };
    await using osc = new OscServer({ schemas, sessions, steer, log: pino({ level: 'silent' }) });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    await sendPacket(port, message('/strength', [['f', 0.125]]));
    while (steered.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    for (const value of [0.25, 0.5, 0.75]) await sendPacket(port, message('/strength', [['f', value]]));
    // The answer shows that all before it have arrived.
    await sendPacket(port, bundle(message('/seed', [['i', 4]]), message('/millrace/help', [])), true);
    release(true);
    while (steered.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual(steered[1], { strength: 0.75, seed: 4 });
    release(true);
  });

  it('changes sessions while another one takes long', async () => {
    const steered: (readonly [string, object])[] = [];
    let release: (isKnown: boolean) => void = () => {};
    const steer = (update: object, session: string): Promise<boolean> => {
      steered.push([session, update]);
      return session === 'slow' ? new Promise((resolve) => (release = resolve)) : Promise.resolve(true);
    };
    const both = (): readonly string[] => ['slow', 'quick'];
    const log = pino({ level: 'silent' });
    await using osc = new OscServer({ schemas, sessions: both, steer, log });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    const updates = (of: string): object[] => steered.filter(([id]) => id === of).map(([, update]) => update);
    const untilSteered = async (of: string, count: number): Promise<void> => {
      while (updates(of).length < count) await new Promise((resolve) => setTimeout(resolve, 5));
    };
    for (const [index, value] of [0.25, 0.5, 0.75].entries()) {
      await sendPacket(port, message('/strength', [['f', value]]));
      await untilSteered('quick', index + 1);
    }
    assert.deepEqual(updates('quick'), [{ strength: 0.25 }, { strength: 0.5 }, { strength: 0.75 }]);
    assert.deepEqual(updates('slow'), [{ strength: 0.25 }]);
    release(true);
    await untilSteered('slow', 2);
    assert.deepEqual(updates('slow')[1], { strength: 0.75 }, 'the newest value, at once');
    release(true);
  });

  it('does the rest of a bundle that has something unknown in it', async () => {
    const steered: object[] = [];
    const steer = (update: object): Promise<boolean> => Promise.resolve(steered.push(update) > 0);
    await using osc = new OscServer({ schemas, sessions, steer, log: pino({ level: 'silent' }) });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    await sendPacket(port, bundle(message('/colour', [['s', 'red']]), message('/seed', [['i', 4]])));
    while (steered.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([steered, osc.refused], [[{ seed: 4 }], 1]);
  });

  it('makes the rest of a change if one of its values is refused', async () => {
    const steered: object[] = [];
    const steer = (update: object): Promise<boolean> => {
      if ('steps' in update) return Promise.reject(new ParameterError('steps', 'steps must be 1'));
      return Promise.resolve(steered.push(update) > 0);
    };
    await using osc = new OscServer({ schemas, sessions, steer, log: pino({ level: 'silent' }) });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    const values = [message('/seed', [['i', 4]]), message('/steps', [['i', 99]])];
    await sendPacket(port, bundle(...values, message('/strength', [['f', 0.5]])));
    while (steered.length === 0) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.deepEqual([steered, osc.refused], [[{ seed: 4, strength: 0.5 }], 1]);
  });

  it('answers few requests for help, and no answers: a forged sender could be another server', async () => {
    await using osc = new OscServer({
      schemas,
      sessions,
      steer: () => Promise.resolve(false),
      log: pino({ level: 'silent' }),
    });
    const port = await freePort();
    await osc.listen('127.0.0.1', port);
    const help = message('/millrace/help', []);
    const answer = await sendPacket(port, help, true);
    await sendPacket(port, answer ?? Buffer.alloc(0));
    while (osc.refused < 1) await new Promise((resolve) => setTimeout(resolve, 5));
    const asker = createSocket('udp4');
    let answers = 0;
    asker.on('message', () => (answers += 1));
    asker.send(bundle(...Array.from({ length: 500 }, () => help)), port, '127.0.0.1');
    await once(asker, 'message');
    while (osc.refused < 400) await new Promise((resolve) => setTimeout(resolve, 5));
    // For more answers.
    await new Promise((resolve) => setTimeout(resolve, 100));
    asker.close();
    assert.ok(answers > 0 && answers < 30, `${answers}`);
  });

  it('says which setting to change if the port is in use', async () => {
    const other = createSocket('udp4');
    await new Promise<void>((resolve) => other.bind(0, '127.0.0.1', resolve));
    const { port } = other.address();
    await using osc = new OscServer({
      schemas,
      sessions,
      steer: () => Promise.resolve(false),
      log: pino({ level: 'silent' }),
    });
    await assert.rejects(osc.listen('127.0.0.1', port), { message: /EADDRINUSE.*--osc-port/ });
    other.close();
  });
});
