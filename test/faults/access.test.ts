import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { exportJWK, SignJWT } from 'jose';
import { tinyModel } from '../support/engine.js';
import { motionJpegFrames } from '../support/frames.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { startServer as startProcess } from '../support/server-process.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const small = { width: 64, height: 64 };
const secret = 'a secret of thirty-two bytes or more';
const bytes = new TextEncoder().encode(secret);
const now = Math.floor(Date.now() / 1000);

type Key = Uint8Array | KeyObject;

interface Claims {
  readonly sub?: string;
  readonly aud?: string;
  readonly exp?: number;
  readonly millrace?: unknown;
}

/** Returns a token that is valid except for `claims`. */
function jwt(claims: Claims = {}, key: Key = bytes, alg = 'HS256'): Promise<string> {
  return new SignJWT({ sub: 'ann', aud: 'millrace', exp: now + 3600, ...claims })
    .setProtectedHeader({ alg })
    .sign(key);
}

const run = promisify(execFile);
const main = join(repositoryRoot, 'dist/src/cli/main.js');

describe('a server that requires tokens', () => {
  let folder: string;
  let server: TestServer;
  let apiKey = '';
  const other = 'mr_another-key-of-somebody-else';

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'millrace-access-'));
    const { stdout } = await run(process.execPath, [main, 'token', 'eve', '--api-key', '--sessions', '1']);
    const [key = '', entry = ''] = stdout.trim().split('\n');
    apiKey = key;
    assert.doesNotMatch(entry, new RegExp(key));
    const file = join(folder, 'keys.json');
    const second = { name: 'other', sha256: createHash('sha256').update(other).digest('hex') };
    await writeFile(file, `[${entry}, ${JSON.stringify(second)}]`);
    server = await startServer({
      apiKeys: file,
      jwtSecret: secret,
      jwtAudience: 'millrace',
      checkpointSeconds: 0.05,
    });
    await server.app.ready();
  });

  after(async () => {
    await server[Symbol.asyncDispose]();
    await rm(folder, { recursive: true });
  });

  async function refused(token: string | undefined): Promise<void> {
    const client = await StreamClient.connect(server.streamUrl);
    client.send({ type: 'hello', parameters: small, ...(token !== undefined && { token }) });
    assert.deepEqual(await client.closed, { code: 4401, reason: 'unauthorized' });
  }

  it('refuses clients without a token, or with an invalid one', async () => {
    const unsigned = `${btoa('{"alg":"none"}')}.${btoa(`{"sub":"ann","aud":"millrace","exp":${now + 60}}`)}.`;
    const wrong = [
      undefined,
      '',
      'mr_wrong',
      unsigned.replaceAll('=', ''),
      `${await jwt()}x`,
      await jwt({ aud: 'another' }),
      await jwt({ exp: now - 60 }),
      await jwt({ sub: '' }),
      await jwt({ millrace: { size: 'large' } }),
      await jwt({}, new TextEncoder().encode('another secret of thirty-two bytes')),
    ];
    for (const token of wrong) await refused(token);
  });

  it('accepts a token in hello or in the header; an invalid one there gets 401', async () => {
    await using first = await StreamClient.greet(server.streamUrl, { parameters: small, token: await jwt() });
    const expires = first.all('ready')[0]?.token_expires ?? 0;
    assert.ok(expires > 3000 && expires <= 3600);
    await using second = await StreamClient.connect(server.streamUrl, {
      headers: { authorization: `Bearer ${await jwt()}` },
    });
    second.send({ type: 'hello', parameters: small });
    await second.first('ready');
    assert.equal((await second.generate(0, picture)).type, 'result');
    await assert.rejects(
      StreamClient.connect(server.streamUrl, { headers: { authorization: 'Bearer wrong' } }),
      /401/,
    );
  });

  it('closes the session when its token expires, unless it gets another in time', async () => {
    const soon = (): Promise<string> => jwt({ exp: Math.ceil(Date.now() / 1000) + 1 });
    const expiring = await StreamClient.greet(server.streamUrl, { parameters: small, token: await soon() });
    await using renewed = await StreamClient.greet(server.streamUrl, {
      parameters: small,
      token: await soon(),
    });
    renewed.send({ type: 'authenticate', token: await jwt() });
    assert.ok(((await renewed.first('authenticated')).expires_seconds ?? 0) > 3000);
    assert.deepEqual(await expiring.closed, { code: 4401, reason: 'unauthorized' });
    assert.equal((await renewed.generate(0, picture)).type, 'result');
  });

  it('does not accept a token of another subject for a running session', async () => {
    const client = await StreamClient.greet(server.streamUrl, { parameters: small, token: await jwt() });
    client.send({ type: 'authenticate', token: await jwt({ sub: 'bob' }) });
    assert.deepEqual(await client.closed, { code: 4401, reason: 'unauthorized' });
  });

  it('lets no user resume the session of another', async () => {
    const client = await StreamClient.greet(server.streamUrl, { parameters: small, token: await jwt() });
    const { token: resume } = await client.first('checkpoint');
    for (const token of [await jwt({ sub: 'bob' }), other]) {
      const thief = await StreamClient.connect(server.streamUrl);
      thief.send({ type: 'hello', resume, token });
      assert.deepEqual(await thief.closed, { code: 4403, reason: 'invalid_resume_token' });
    }
    // The limits are those of the current token.
    await using narrow = await StreamClient.connect(server.streamUrl);
    narrow.send({ type: 'hello', resume, token: await jwt({ millrace: { size: 32 } }) });
    assert.equal((await narrow.error('limit_exceeded')).field, 'width');
    assert.equal((await client.generate(0, picture)).type, 'result', 'its owner was disturbed');
    await client[Symbol.asyncDispose]();
  });

  it('applies the limits of a token', async () => {
    const token = await jwt({ sub: 'cleo', millrace: { sessions: 1, fps: 5, size: 64, steps: 2 } });
    const client = await StreamClient.connect(server.streamUrl);
    client.send({ type: 'hello', parameters: { width: 128 }, token });
    assert.equal((await client.error('limit_exceeded')).field, 'width');
    client.send({ type: 'hello', parameters: small, token });
    const { fps, size, steps } = (await client.first('ready')).limits;
    assert.deepEqual({ fps, size, steps }, { fps: 5, size: 64, steps: 2 });
    client.send({ type: 'update', request: 1, parameters: { steps: 3 } });
    await client.until(() => client.all('error').find(({ request }) => request === 1));
    assert.equal(client.all('error').at(-1)?.code, 'limit_exceeded');

    const second = await StreamClient.connect(server.streamUrl);
    second.send({ type: 'hello', parameters: small, token });
    assert.deepEqual(await second.closed, { code: 1013, reason: 'too_many_sessions' });
    await client[Symbol.asyncDispose]();
    await using third = await StreamClient.greet(server.streamUrl, { parameters: small, token: apiKey });
    const fourth = await StreamClient.connect(server.streamUrl);
    fourth.send({ type: 'hello', parameters: small, token: apiKey });
    assert.deepEqual(await fourth.closed, { code: 1013, reason: 'too_many_sessions' });
    assert.equal((await third.generate(0, picture)).type, 'result');
  });

  it('requires them for images and metrics over HTTP too, but for no other path', async () => {
    const authorization = `Bearer ${await jwt({ millrace: { size: 64 } })}`;
    const post = (headers: Record<string, string>, parameters: object): Promise<Response> =>
      fetch(`${server.url}/v1/txt2img`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', ...headers },
        body: JSON.stringify(parameters),
      });
    const refusal = await post({}, small);
    assert.equal(refusal.status, 401);
    assert.equal(refusal.headers.get('www-authenticate'), 'Bearer');
    assert.equal((await post({ authorization }, { width: 128 })).status, 403);
    assert.equal((await post({ authorization }, small)).status, 200);
    assert.equal((await fetch(`${server.url}/metrics`)).status, 401);
    assert.equal((await fetch(`${server.url}/metrics`, { headers: { authorization } })).status, 200);
    for (const path of ['/healthz', '/readyz', '/v1/capabilities']) {
      assert.equal((await fetch(server.url + path)).status, 200, path);
    }
  });
});

describe('public keys', () => {
  it('may be RSA or P-256, in PEM or as a JWKS; tokens of other keys and algorithms are refused', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-keys-'));
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const stranger = generateKeyPairSync('ec', { namedCurve: 'P-256' });
    const pem = rsa.publicKey.export({ type: 'spki', format: 'pem' });
    const jwks = { keys: [{ ...(await exportJWK(ec.publicKey)), alg: 'ES256' }] };
    const cases = [
      [String(pem), rsa.privateKey, 'RS256'],
      [JSON.stringify(jwks), ec.privateKey, 'ES256'],
    ] as const;
    for (const [contents, key, alg] of cases) {
      const jwtKeys = join(folder, alg);
      await writeFile(jwtKeys, contents);
      await using server = await startServer({ jwtKeys });
      await server.app.ready();
      await using client = await StreamClient.greet(server.streamUrl, {
        parameters: small,
        token: await jwt({}, key, alg),
      });
      assert.equal(client.all('ready').length, 1);
      const wrong = [
        await jwt({}, stranger.privateKey, 'ES256'),
        // The public key used as the secret of an HMAC.
        await jwt({}, new TextEncoder().encode(contents), 'HS256'),
      ];
      for (const token of wrong) {
        const refused = await StreamClient.connect(server.streamUrl);
        refused.send({ type: 'hello', token });
        assert.equal((await refused.closed).code, 4401);
      }
    }
    await rm(folder, { recursive: true });
  });

  it('that are unusable, and secrets that are too short, make the start fail', async () => {
    await assert.rejects(startServer({ jwtKeys: '/nowhere.pem' }), /nowhere\.pem/);
    await assert.rejects(startServer({ apiKeys: '/nowhere.json' }), /nowhere\.json/);
    await assert.rejects(startServer({ jwtSecret: 'short' }), /at least 32 bytes/);
    await assert.rejects(startServer({ jwtSecret: secret, jwtKeys: '/nowhere.pem' }), /not with both/);
  });
});

describe('secrets', () => {
  it('appear in no log line and no metric', async () => {
    const env = { ...process.env, MILLRACE_JWT_SECRET: secret };
    const minted = await run(process.execPath, [main, 'token', 'dora', '--expires', '5m'], { env });
    const token = minted.stdout.trim();
    const flags = ['--model', tinyModel, '--threads', '1', '--log-level', 'trace', '--drain-seconds', '0'];
    const keys = ['--resume-key', 'the key of the sealed tokens', '--metrics-token', 'the-token-of-metrics'];
    await using server = await startProcess(...flags, ...keys, '--jwt-secret', secret);
    let log = '';
    server.child.stdout?.on('data', (data: Buffer) => (log += data.toString()));
    const url = `${server.url.replace('http', 'ws')}/v1/stream`;
    const headers = { authorization: `Bearer ${token}` };
    await using client = await StreamClient.connect(url, { headers });
    client.send({ type: 'hello', parameters: small, token });
    const { token: resume } = await client.first('checkpoint');
    client.send({ type: 'authenticate', token });
    await client.first('authenticated');
    const thief = await StreamClient.connect(url);
    thief.send({ type: 'hello', token: `${token}x`, resume });
    await thief.closed;
    await assert.rejects(StreamClient.connect(url, { headers: { authorization: `Bearer ${token}x` } }));
    const metrics = await fetch(`${server.url}/metrics`, {
      headers: { authorization: 'Bearer the-token-of-metrics' },
    });
    assert.equal(metrics.status, 200);
    assert.equal((await fetch(`${server.url}/metrics`, { headers })).status, 401);
    const all = log + (await metrics.text());
    assert.match(all, /session opened/);
    for (const text of [token, resume, secret, ...keys.filter((key) => !key.startsWith('--'))]) {
      assert.ok(!all.includes(text), `${text.slice(0, 12)}... leaked`);
    }
  });
});
