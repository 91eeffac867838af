import assert from 'node:assert/strict';
import { Rig } from '../rig.js';
import type { Case } from './types.js';

export const accessCases: readonly Case[] = [
  {
    name: 'reports its place in the queue, and sends nothing while it waits',
    level: 'must',
    section: 8,
    async run(setup) {
      const queued = (position: number): { type: string; position: number; wait_seconds: number } => ({
        type: 'queued',
        position,
        wait_seconds: 3,
      });
      await using rig = await Rig.start(setup, { beforeReady: [queued(2), queued(1)] });
      await rig.connect();
      assert.deepEqual(
        // A server without a free slot has sent others before.
        rig.client
          .all('queued')
          .map(({ position }) => position)
          .slice(-2),
        [2, 1],
      );
      await rig.generate();
      await rig.finish();
    },
  },
  {
    name: 'sends its next access token before the current one expires',
    level: 'should',
    section: 7,
    async run(setup) {
      await using rig = await Rig.start(setup, {
        toClient: (message) => {
          if (message.type === 'ready') return { ...message, token_expires: 1 };
          return message.type === 'authenticated' ? { ...message, expires_seconds: 1 } : message;
        },
      });
      const connection = await rig.connect({}, [
        'one',
        'two',
        'three',
        'four',
        'five',
        'six',
        'seven',
        'eight',
      ]);
      const shown = await connection.until('two tokens', () => {
        const tokens = connection.fromClient('authenticate').map(({ token }) => token);
        return tokens.length >= 2 ? tokens : undefined;
      });
      assert.deepEqual(shown.slice(0, 2), ['two', 'three']);
      await rig.generate();
      assert.equal(rig.proxy.connections.length, 1, 'the connection stays the same');
      await rig.finish();
    },
  },
];
