import assert from 'node:assert/strict';
import { Duplex } from 'node:stream';
import { it } from 'node:test';
import { decodeMessage } from '@millrace/protocol';
import { WebSocket } from 'ws';
import { MessageBuffers } from '../../src/transport/message-buffers.js';
import { SocketWire } from '../../src/transport/socket-wire.js';

it('messages that are sent together take one system call, but the credit of a lone client goes at once', async () => {
  let isAlone = true;
  const calls: (readonly Uint8Array[])[] = [];
  const network = new Duplex({
    read() {},
    write(chunk: Uint8Array, _encoding, done) {
      calls.push([chunk]);
      done();
    },
    writev(chunks: readonly { readonly chunk: Uint8Array }[], done) {
      calls.push(chunks.map(({ chunk }) => chunk));
      done();
    },
  });
  const socket = {
    readyState: WebSocket.OPEN,
    send: (data: Uint8Array, _options: unknown, done: () => void) => network.write(data, done),
  };
  const wire = new SocketWire({
    socket: socket as unknown as WebSocket,
    network,
    address: undefined,
    metrics: { networkBytes: () => {} },
    buffers: new MessageBuffers(),
    isAlone: () => isAlone,
  });
  const types = (): unknown => calls.map((call) => call.map((bytes) => decodeMessage(bytes).type));
  wire.send({ type: 'credit', total: 3 });
  assert.deepEqual(types(), [['credit']]);
  wire.send({ type: 'dropped', id: 1, reason: 'superseded' });
  wire.send({ type: 'credit', total: 4 });
  assert.deepEqual(types(), [['credit']]);
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(types(), [['credit'], ['dropped', 'credit']], 'in the order in which they were sent');
  isAlone = false;
  calls.length = 0;
  wire.send({ type: 'credit', total: 5 });
  wire.send({ type: 'dropped', id: 2, reason: 'superseded' });
  await new Promise((resolve) => setImmediate(resolve));
  assert.deepEqual(types(), [['credit', 'dropped']]);
});
