import assert from 'node:assert/strict';
import { it } from 'node:test';
import { ForeignWire } from '../../../src/transport/compat/foreign-wire.js';
import type { Conversation } from '../../../src/transport/compat/program.js';
import type { SocketWire } from '../../../src/transport/socket-wire.js';

it('a client that reads none of its errors gets no more of them', () => {
  const heard: string[] = [];
  const conversation: Conversation = {
    opened: () => {},
    fromClient: (data) => void heard.push(data.toString()),
    fromServer: () => {},
    ended: () => {},
  };
  const program = { serves: () => true, begin: () => conversation };
  const wire = { address: undefined, bufferedBytes: 0 } as unknown as SocketWire;
  const foreign = new ForeignWire({
    wire,
    program,
    url: new URL('http://host/'),
    metrics: { error: () => {} },
  });
  let reads = true;
  foreign.receive(Buffer.from('too early'), true);
  foreign.connect({ receive: () => {}, close: () => {}, mayReceive: () => reads });
  foreign.receive(Buffer.from('one'), true);
  reads = false;
  foreign.receive(Buffer.from('two'), true);
  assert.deepEqual(heard, ['one']);
});
