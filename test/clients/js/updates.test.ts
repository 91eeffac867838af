import assert from 'node:assert/strict';
import { test } from 'node:test';
import { nextEvent, openStream } from './protocol-server.js';

test('each update gets its own answer, in whatever order they come', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const first = stream.update({ prompt: 'a' });
  const second = stream.update({ steps: 99 });
  const third = stream.update({ prompt: 'c' });
  const requests = [];
  for (let i = 0; i < 3; i++) requests.push(await peer.receive('update'));
  assert.deepEqual(
    requests.map(({ parameters }) => parameters),
    [{ prompt: 'a' }, { steps: 99 }, { prompt: 'c' }],
  );
  const [a, b, c] = requests.map(({ request }) => request);
  const parameters = { ...stream.parameters, prompt: 'c' };
  const announced = nextEvent(stream, 'updated');
  peer.send({ type: 'updated', request: c, from: 8, parameters });
  peer.send({ type: 'error', code: 'invalid_parameter', request: b, field: 'steps', message: 'at most 10' });
  peer.send({ type: 'updated', request: a, from: 7, parameters: { ...parameters, prompt: 'a' } });
  await assert.rejects(second, { code: 'invalid_parameter', field: 'steps', message: 'at most 10' });
  assert.deepEqual(await third, { from: 8, parameters });
  assert.equal((await first).from, 7);
  assert.equal((await announced).from, 8);
  assert.equal(stream.parameters.prompt, 'a');
});

test('a refused update is not an error event', async () => {
  await using open = await openStream();
  const { stream, peer } = open;
  const events: string[] = [];
  stream.on('error', ({ code }) => events.push(code));
  const refused = assert.rejects(stream.update({ steps: 99 }), { code: 'invalid_parameter' });
  const { request } = await peer.receive('update');
  peer.send({ type: 'error', code: 'invalid_parameter', request, message: 'no' });
  await refused;
  peer.send({ type: 'error', code: 'rate_limited', message: 'slower' });
  await nextEvent(stream, 'error');
  assert.deepEqual(events, ['rate_limited']);
});

test('pending updates are rejected when the stream ends', async () => {
  await using lost = await openStream();
  const rejected = assert.rejects(lost.stream.update({ steps: 2 }), { code: 'connection_lost' });
  await lost.peer.receive('update');
  lost.peer.terminate();
  await rejected;

  await using closed = await openStream();
  const alsoRejected = assert.rejects(closed.stream.update({ steps: 2 }), { code: 'closed' });
  await closed.stream.close();
  await alsoRejected;
  await assert.rejects(closed.stream.update({ steps: 2 }), { code: 'closed' });
});
