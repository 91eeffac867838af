import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { SignJWT } from 'jose';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const secret = 'a secret of thirty-two bytes or more';
const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');

function token(limits: object = {}): Promise<string> {
  return new SignJWT({ sub: 'ann', millrace: limits })
    .setProtectedHeader({ alg: 'HS256' })
    .setExpirationTime('1h')
    .sign(new TextEncoder().encode(secret));
}

describe('a token that allows less than the previous one', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer({ jwtSecret: secret });
    await server.app.ready();
  });
  after(() => server[Symbol.asyncDispose]());

  const open = async (parameters: object): Promise<StreamClient> =>
    StreamClient.greet(server.streamUrl, { parameters, token: await token() });

  for (const [field, parameters, limits, smaller] of [
    ['width', { width: 128, height: 64 }, { size: 64 }, { width: 64 }],
    ['height', { width: 64, height: 128 }, { size: 64 }, { height: 64 }],
    ['steps', { width: 64, height: 64, steps: 4 }, { steps: 2 }, { steps: 2 }],
    [
      't_index_list',
      { width: 64, height: 64, t_index_list: [10, 20, 30] },
      { steps: 2 },
      { t_index_list: [10, 30] },
    ],
  ] as const) {
    it(`is refused while ${field} exceeds it, and accepted once it does not`, async () => {
      await using client = await open(parameters);
      client.send({ type: 'authenticate', token: await token(limits) });
      const refused = await client.error('limit_exceeded');
      assert.equal(refused.field, field);
      assert.deepEqual(client.all('authenticated'), []);
      // The former token is still in force.
      client.send({ type: 'update', request: 1, parameters: { seed: 5 } });
      assert.equal((await client.first('updated')).request, 1);
      assert.equal((await client.generate(0, picture)).type, 'result');

      client.send({ type: 'update', request: 2, parameters: smaller });
      // Updates that were sent before the token count.
      client.send({ type: 'authenticate', token: await token(limits) });
      const { limits: granted } = await client.first('authenticated');
      assert.deepEqual({ ...granted, ...limits }, granted);
      assert.ok((granted?.message_bytes ?? 0) > 0);
      client.send({ type: 'update', request: 3, parameters });
      const late = await client.until(() => client.all('error').find(({ request }) => request === 3));
      assert.deepEqual([late.code, late.field], ['limit_exceeded', field]);
      client.send({ type: 'update', request: 4, parameters: { seed: 6 } });
      await client.until(() => client.all('updated').find(({ request }) => request === 4));
      assert.equal((await client.generate(1, picture)).type, 'result');
    });
  }

  it('applies to updates that were sent after it, not to earlier ones', async () => {
    await using client = await open({ width: 64, height: 64 });
    const less = await token({ size: 64 });
    client.send({ type: 'update', request: 1, parameters: { width: 128 } });
    client.send({ type: 'authenticate', token: less });
    assert.equal((await client.error('limit_exceeded')).field, 'width');
    assert.equal((await client.first('updated')).parameters.width, 128);
  });

  it('leaves open sessions alone, and applies to the next one', async () => {
    await using first = await open({ width: 64, height: 64 });
    await using second = await open({ width: 64, height: 64 });
    first.send({ type: 'authenticate', token: await token({ sessions: 1 }) });
    await first.first('authenticated');
    assert.equal((await second.generate(0, picture)).type, 'result');
    assert.equal((await first.generate(0, picture)).type, 'result');
    const third = await StreamClient.connect(server.streamUrl);
    third.send({ type: 'hello', token: await token({ sessions: 1 }) });
    assert.equal((await third.error('too_many_sessions')).code, 'too_many_sessions');
    await third.closed;
  });
});
