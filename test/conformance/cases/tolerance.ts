import assert from 'node:assert/strict';
import { Rig } from '../rig.js';
import type { Case } from './types.js';

/** `{"type": "credit", "total": 1000}` with the number as a float 64. */
const floatCredit = Uint8Array.from([
  0x82, 0xa4, 0x74, 0x79, 0x70, 0x65, 0xa6, 0x63, 0x72, 0x65, 0x64, 0x69, 0x74, 0xa5, 0x74, 0x6f, 0x74, 0x61,
  0x6c, 0xcb, 0x40, 0x8f, 0x40, 0, 0, 0, 0, 0,
]);

export const toleranceCases: readonly Case[] = [
  {
    name: 'ignores fields and messages that it does not know',
    level: 'must',
    section: 1,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toClient: (message) => ({ ...message, x_new: { deep: [1, null, 'text'] }, x_more: 1.5 }),
      });
      const connection = await rig.connect();
      connection.inject({ type: 'hologram', depth: 3 });
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'shows results that bring pictures of controls like others',
    level: 'must',
    section: 3,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toClient: (message) =>
          message.type === 'result' ? { ...message, controls: { depth: Uint8Array.of(1, 2, 3) } } : message,
      });
      await rig.connect();
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'treats unknown reasons and codes as failures, and continues',
    level: 'must',
    section: 1,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      connection.inject({ type: 'error', code: 'gremlins', message: 'something new' });
      await rig.client.first('error');
      connection.inject({ type: 'dropped', id: 9_000_000, reason: 'bored' });
      assert.equal((await rig.client.first('dropped'))['reason'], 'failed');
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'tries again if it is refused with an unknown code',
    level: 'should',
    section: 1,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toClient: (message, connection) =>
          connection === 1 && message.type === 'ready'
            ? { type: 'error', code: 'gremlins', message: 'something new' }
            : message,
      });
      (await rig.connect()).cut();
      // On a server with one slot, the lost session keeps it for a while.
      await rig.client.first('reconnected', undefined, 60);
      assert.ok(rig.proxy.connections.length > 2);
      await rig.generate();
      await rig.finish();
    },
  },
  ...(['ready', 'queued'] as const).map((late): Case => ({
    name: `closes with 4400 when ${late} comes late, and does not reconnect`,
    level: 'should',
    section: 4,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const [ready] = connection.fromServer('ready');
      assert.ok(ready);
      connection.inject(
        late === 'ready'
          ? { ...ready, session: 'another' }
          : { type: 'queued', position: 1, wait_seconds: 1 },
      );
      assert.equal(await connection.closed(), 4400);
      assert.notEqual((await rig.client.first('closed'))['code'], undefined);
      assert.equal(rig.proxy.connections.length, 1);
    },
  })),
  {
    name: 'treats a field that is nil as absent',
    level: 'must',
    section: 2,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toClient: (message) => (message.type === 'ready' ? { ...message, token_expires: null } : message),
      });
      const connection = await rig.connect();
      const nothing = { request: null, id: null, field: null };
      connection.inject({ type: 'error', code: 'rate_limited', message: 'slower', ...nothing });
      await rig.client.first('error');
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'accepts integers in any number format',
    level: 'must',
    section: 2,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      const credits = connection.fromServer('ready')[0]?.credits ?? 0;
      connection.inject(floatCredit);
      for (let count = 0; count < credits + 3; count++) await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'ends when its session is taken over, and does not reconnect',
    level: 'must',
    section: 9,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      connection.inject({ type: 'error', code: 'taken_over', message: 'another connection goes on' });
      connection.close(4409);
      assert.equal((await rig.client.first('closed'))['code'], 'taken_over');
      assert.equal(rig.proxy.connections.length, 1);
    },
  },
  {
    name: 'does not reconnect after a close that would end another connection too',
    level: 'should',
    section: 14,
    async run(setup) {
      await using rig = await Rig.start(setup);
      const connection = await rig.connect();
      connection.close(1009);
      assert.equal((await rig.client.first('closed'))['code'], 'message_too_large');
      assert.equal(rig.proxy.connections.length, 1);
    },
  },
];
