import assert from 'node:assert/strict';
import { test } from 'node:test';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const parameters = { width: 64, height: 64 };

async function end(
  { url }: TestServer,
  id: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): Promise<number> {
  return (await fetch(`${url}/v1/admin/sessions/${id}`, { method: 'DELETE', headers })).status;
}

test('an admin ends one session for good, and no other; also one that lost its connection', async () => {
  await using server = await startServer({ graceSeconds: 60 });
  await server.app.ready();
  await using client = await StreamClient.open(server.streamUrl, parameters);
  await using other = await StreamClient.open(server.streamUrl, parameters);
  const id = client.all('ready')[0]?.session;
  assert.equal(await end(server, id, { 'x-forwarded-for': '203.0.113.7' }), 401);
  assert.equal(await end(server, 'nobody'), 404);
  assert.equal(await end(server, id), 204);
  assert.deepEqual(await client.closed, { code: 4410, reason: 'session_ended' });
  const { token = '' } = client.all('checkpoint').at(-1) ?? {};
  await using again = await StreamClient.connect(server.streamUrl);
  again.send({ type: 'hello', resume: token });
  await again.error('invalid_resume_token');
  await other.generate(0, picture);

  other.socket.terminate();
  await other.closed;
  const lost = other.all('ready')[0]?.session;
  assert.equal(await end(server, lost), 204);
  assert.equal(await end(server, lost), 404);
});
