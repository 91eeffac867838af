import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { ClientMessage, ParameterUpdate, ServerMessage } from '@millrace/protocol';
import { SessionBridge } from '../../../src/transport/compat/session-bridge.js';

it('a value of many bytes is passed on to be refused, without a look at each of them', () => {
  const told: ClientMessage[] = [];
  const tell = (message: ClientMessage): void => void told.push(message);
  const bridge = new SessionBridge<null>({ tell, client: 'test', token: undefined });
  bridge.ask({ tag: null });
  const ready = { type: 'ready', parameters: { prompt: [{ text: 'a', weight: 1 }] }, credits: 1 };
  bridge.hear(ready as unknown as ServerMessage);
  bridge.ask({ parameters: { prompt: [{ text: 'a', weight: 1 }] }, tag: null });
  assert.deepEqual(
    told.map(({ type }) => type),
    ['hello'],
    'what is in force is no change',
  );
  const begin = performance.now();
  bridge.ask({ parameters: { prompt: new Uint8Array(8 << 20) } as unknown as ParameterUpdate, tag: null });
  assert.ok(performance.now() - begin < 500);
  assert.equal(told.at(-1)?.type, 'update');
  bridge.end();
});
