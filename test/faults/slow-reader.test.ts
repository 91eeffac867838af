import assert from 'node:assert/strict';
import { it } from 'node:test';
import { encodeMessage } from '@millrace/protocol';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const small = { width: 64, height: 64 };
/** An unknown message is answered with an error that quotes it. */
const unknown = encodeMessage({ type: 'x'.repeat(50) } as never);

it('a client that does not read its answers is disconnected', { timeout: 60_000 }, async () => {
  await using server = await startServer({ unacknowledgedResults: 1, maxMessagesPerSecond: 100_000 });
  await server.app.ready();
  const client = await StreamClient.open(server.streamUrl, small);
  client.socket.pause();
  const disconnected = async (): Promise<boolean> => {
    const metrics = await (await fetch(`${server.url}/metrics`)).text();
    return /^millrace_errors_total\{code="slow_reader"\} 1$/m.test(metrics);
  };
  // Until it is disconnected, however long that takes on this machine.
  while (!(await disconnected())) {
    for (let i = 0; i < 5000 && client.socket.bufferedAmount < 1_000_000; i++) client.socket.send(unknown);
  }
  client.socket.resume();
  const { code } = await client.closed;
  assert.ok(code === 1013 || code === 1006, `closed with ${code}`);
});
