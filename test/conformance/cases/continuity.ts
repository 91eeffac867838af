import assert from 'node:assert/strict';
import { setTimeout as pause } from 'node:timers/promises';
import { Rig } from '../rig.js';
import type { ProxiedConnection } from '../proxy.js';
import type { Case } from './types.js';

async function token(connection: ProxiedConnection): Promise<string> {
  return connection.until('a checkpoint', () => connection.fromServer('checkpoint').at(-1)?.token);
}

/** Makes the client connect and show a result, and waits until it can resume. */
async function connectResumable(rig: Rig): Promise<ProxiedConnection> {
  const connection = await rig.connect();
  await rig.generate();
  await token(connection);
  return connection;
}

export const continuityCases: readonly Case[] = [
  {
    name: 'pings, and sends the offset of its clock',
    level: 'should',
    section: 6,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      assert.equal(
        typeof connection.fromClient('hello')[0]?.sent,
        'number',
        'hello has the clock of the client',
      );
      const offset = await connection.until('a ping with offset', () =>
        connection
          .fromClient('ping')
          .map((ping) => ping.offset)
          .find((value) => value !== undefined),
      );
      const ping = connection.seen.find(({ message }) => message.type === 'ping');
      const pong = connection.seen.find(({ message }) => message.type === 'pong');
      assert.ok(ping && pong, 'there was a ping and its pong');
      const wanted = Number(ping.message['sent']) - Number(pong.message['received']);
      // The client's clock advanced between ping and pong: the offset lies within that time.
      assert.ok(offset >= wanted - 5 && offset <= wanted + 250, `offset ${offset}, should be near ${wanted}`);
      await rig.generate();
      const [result] = connection.fromServer('result');
      assert.ok(
        result && Math.abs(result.times.received - result.captured) < 1000,
        'times are on the clock of the client',
      );
      await rig.finish();
    },
  },
  {
    name: 'reconnects after a cut with the newest token, and continues',
    level: 'should',
    section: 9,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const first = await connectResumable(rig);
      const newest = first.fromServer('checkpoint').at(-1)?.token;
      first.cut();
      const second = await rig.proxy.connection(1);
      const reconnected = await rig.client.first('reconnected');
      assert.equal(second.fromClient('hello')[0]?.resume, newest);
      assert.equal(reconnected['resumed'], true);
      assert.equal(second.fromServer('ready')[0]?.session, first.fromServer('ready')[0]?.session);
      assert.equal(rig.client.all('reconnecting').length, 1);
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'reconnects to a server with another clock, and sends only the offset of that one',
    level: 'should',
    section: 6,
    async run(setup) {
      // From the second connection on, the server's clock is hours ahead; the real server gets its own offsets.
      const ahead = 1e7;
      await using rig = await Rig.start(setup, {
        toClient: (message, index) =>
          index > 0 && message.type === 'pong'
            ? { ...message, received: Number(message['received']) + ahead }
            : message,
        toServer: (message, index) =>
          index > 0 && typeof message['offset'] === 'number'
            ? { ...message, offset: message['offset'] + ahead }
            : message,
      });
      const first = await rig.connect();
      await rig.generate();
      const offsetOn = async (connection: ProxiedConnection): Promise<number> =>
        connection.until('a ping with offset', () =>
          connection
            .fromClient('ping')
            .map(({ offset }) => offset)
            .find((offset) => offset !== undefined),
        );
      const before = await offsetOn(first);
      await token(first);
      first.cut();
      await rig.client.first('reconnected');
      const second = rig.proxy.connections.at(-1);
      assert.ok(second);
      await rig.generate();
      const after = await offsetOn(second);
      assert.ok(Math.abs(before - after - ahead) < 10_000, `the offset was ${before}, and then ${after}`);
      await rig.generate();
      const [result] = second.fromServer('result').slice(-1);
      assert.ok(result && Math.abs(result.times.received - result.captured) < 10_000, 'the clocks agree');
      await rig.finish();
    },
  },
  {
    name: 'treats a silent connection as lost, and continues over another',
    level: 'should',
    section: 14,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const first = await connectResumable(rig);
      first.fallSilent();
      const reconnected = await rig.client.first('reconnected');
      assert.equal(reconnected['resumed'], true);
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'starts a new session with the same parameters if its token is refused',
    level: 'should',
    section: 9,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toServer: (message) => (message['resume'] === undefined ? message : { ...message, resume: 'AAAA' }),
      });
      const first = await rig.connect({ seed: 21 });
      await token(first);
      first.cut();
      // On a server with one slot, the lost session keeps it for a while.
      const reconnected = await rig.client.first('reconnected', undefined, 60);
      assert.equal(reconnected['resumed'], false);
      const fresh = rig.proxy.connections.at(-1);
      assert.equal(fresh?.fromClient('hello')[0]?.resume, undefined);
      assert.equal(fresh?.fromServer('ready')[0]?.parameters.seed, 21);
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'moves over when the server drains, and closes the old connection after that',
    level: 'should',
    section: 10,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const first = await rig.connect();
      await rig.generate();
      const last = await token(first);
      first.inject({ type: 'drain', deadline_seconds: 10, token: last });
      const second = await rig.proxy.connection(1);
      assert.equal(first.closeCode, undefined, 'the old connection lasts until the new one is open');
      assert.equal((await rig.client.first('reconnected'))['resumed'], true);
      assert.equal(second.fromClient('hello')[0]?.resume, last);
      await first.closed();
      await rig.generate();
      assert.deepEqual(rig.client.all('reconnecting'), [], 'nothing was lost');
      await rig.finish();
    },
  },
  {
    name: 'waits for the results of the frames that it sent before it moves, and takes the token after them',
    level: 'should',
    section: 10,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const first = await connectResumable(rig);
      first.holdResults();
      rig.send();
      await first.until('the result of the second frame', () => first.fromServer('result')[1]);
      // Only the token after the results continues the stream.
      first.inject({ type: 'drain', deadline_seconds: 20, token: 'AAAA' });
      const second = await rig.proxy.connection(1);
      await pause(300);
      assert.deepEqual(second.fromClient('hello'), [], 'no hello before the result');
      rig.send();
      await rig.client.first('sent', () => rig.client.all('sent').length === 3);
      first.releaseResults();
      first.inject({ type: 'checkpoint', token: await token(first) });
      assert.equal((await rig.client.first('reconnected'))['resumed'], true);
      await rig.client.first('frame', () => rig.client.all('frame').length === 3);
      assert.deepEqual(
        [first, second].map((connection) => connection.fromClient('frame').length),
        [2, 1],
        'the frame after that is for the next server',
      );
      assert.deepEqual(rig.client.all('dropped'), [], 'nothing was lost');
      await rig.finish();
    },
  },
  {
    name: 'shows no old frame after it was paused',
    level: 'should',
    section: 5,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const feeding = new AbortController();
      const feed = (async () => {
        while (!feeding.signal.aborted) {
          rig.send();
          await pause(30);
        }
      })();
      await rig.client.first('frame', () => rig.client.all('frame').length >= 12);
      // Results reach the client's buffers while it is already paused.
      connection.holdResults();
      const results = connection.fromServer('result').length;
      const window = connection.fromServer('ready')[0]?.limits.unacknowledged_results ?? 0;
      // Now the server waits, and a newer frame than those of the results is on its way.
      await connection.until('results, and a frame after them', () => {
        const made = connection.fromServer('result');
        const newest = connection.fromClient('frame').at(-1);
        const waits = made.length >= results + window && (newest?.id ?? 0) > (made.at(-1)?.id ?? 0);
        return waits ? true : undefined;
      });
      rig.client.freeze(true);
      connection.releaseResults();
      await pause(200);
      const before = rig.client.all('frame').length;
      await pause(2000);
      rig.client.freeze(false);
      const next = await rig.client.first('frame', (frame) => rig.client.all('frame')[before] === frame);
      const age = Number(next['shown']) - Number(next['sent']);
      assert.ok(age < 1000, `the first frame after two seconds had been sent ${age} ms before it was shown`);
      feeding.abort();
      await feed;
      await rig.finish();
    },
  },
];
