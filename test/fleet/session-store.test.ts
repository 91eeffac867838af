import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { makeCertificate, openssl } from '../support/certificate.js';
import { tinyModel } from '../support/engine.js';
import { eventually } from '../support/eventually.js';
import { freePort } from '../support/free-port.js';
import { startServerIn } from '../support/server-process.js';
import { createApiKey } from '../../src/session/access/api-keys.js';
import type { Settings } from '../../src/settings/settings.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { picture } from '../session/rig.js';
import { redis, RedisProcess } from './redis-process.js';

const { key, entry } = createApiKey('ann', { sessions: 1 });

/** A server of a fleet; it forgets sessions with their connections. */
const startNode = (settings: Partial<Settings>): Promise<TestServer> =>
  startServer({ graceSeconds: 0, resumeKey: 'the same', ...settings });

/** Opens a stream and loses it. @returns its first resume token. */
async function lostStream({ streamUrl }: TestServer): Promise<string> {
  const client = await StreamClient.open(streamUrl);
  const { token } = await client.first('checkpoint');
  client.socket.terminate();
  await client.closed;
  return token;
}

/** Resumes a stream, and waits until the server knows that its client has the next token. */
async function resume({ streamUrl }: TestServer, token: string, frame = 1): Promise<StreamClient> {
  const client = await StreamClient.greet(streamUrl, { resume: token });
  await client.first('checkpoint');
  await client.generate(frame, picture);
  client.send({ type: 'ping', sent: 1 });
  await client.first('pong');
  return client;
}

/** Returns the error that a greeting gets. */
async function refusal(
  { streamUrl }: TestServer,
  hello: Parameters<typeof StreamClient.greet>[1],
): Promise<string> {
  await using client = await StreamClient.connect(streamUrl);
  client.send({ type: 'hello', ...hello });
  return (await client.first('error')).code;
}

describe('servers with a session store', { skip: redis.skip }, () => {
  let store: RedisProcess;
  let a: TestServer;
  let b: TestServer;

  before(async () => {
    store = await RedisProcess.start();
    [a, b] = await Promise.all([
      startNode({ sessionStore: store.url }),
      startNode({ sessionStore: store.url }),
    ]);
    await Promise.all([a.app.ready(), b.app.ready()]);
  });
  after(async () => {
    await Promise.all([a, b, store].map((part) => part[Symbol.asyncDispose]()));
  });

  it('refuse a resume token that was used up on another one', async () => {
    const token = await lostStream(a);
    await using client = await resume(b, token);
    for (const node of [a, b]) assert.equal(await refusal(node, { resume: token }), 'invalid_resume_token');
    assert.equal(client.all('error').length, 0);
  });

  it('refuse all tokens of a session that was closed properly on another one', async () => {
    const client = await StreamClient.open(a.streamUrl);
    const { token } = await client.first('checkpoint');
    await client[Symbol.asyncDispose]();
    await pause(100);
    assert.equal(await refusal(b, { resume: token }), 'invalid_resume_token');
  });

  it('let a session move to and fro, and close what it left', async () => {
    const token = await lostStream(a);
    const onB = await resume(b, token);
    const newer = onB.all('checkpoint').at(-1)?.token ?? '';
    // Its client moves without closing the former connection.
    await using onA = await resume(a, newer, 2);
    assert.equal(onA.all('ready')[0]?.resumed, true);
    assert.deepEqual(await onB.closed, { code: 4409, reason: 'taken_over' });
    assert.equal(onA.all('error').length, 0);
    assert.equal(await refusal(b, { resume: newer }), 'invalid_resume_token');
  });

  it('go on without it, each by its own rules, and say so in their metrics', async () => {
    const up = async ({ url }: TestServer): Promise<string> => {
      const text = await (await fetch(`${url}/metrics`)).text();
      return /^millrace_session_store_up (\d)$/m.exec(text)?.[1] ?? 'absent';
    };
    assert.equal(await up(a), '1');
    await using client = await StreamClient.open(a.streamUrl);
    await store.kill();
    await client.generate(1, picture);
    while ((await up(a)) !== '0' || (await up(b)) !== '0') await pause(50);
    await using another = await StreamClient.open(b.streamUrl);
    await another.generate(1, picture);
    const token = await lostStream(a);
    await using resumed = await resume(b, token);
    assert.equal(resumed.all('ready')[0]?.resumed, true);
    await store.start();
    while ((await up(a)) !== '1' || (await up(b)) !== '1') await pause(50);
    await client.generate(2, picture);
    await another.generate(2, picture);
  });
});

describe('a server with a session store over TLS', { skip: redis.skip || openssl.skip }, () => {
  it('reaches it if it trusts its certificate', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
    t.after(() => rm(folder, { recursive: true }));
    const { certificate, key } = makeCertificate(folder, 'IP:127.0.0.1');
    const port = await freePort();
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    const tls = ['--tls-port', `${port}`, '--tls-auth-clients', 'no', ...files];
    await using store = await RedisProcess.start('--requirepass', 'secret', ...tls);
    assert.notEqual(port, store.port);
    const usual = ['--model', tinyModel, '--cache-directory', '', '--threads', '1', '--slo-fps', '0'];
    const fleet = ['--resume-key', 'the same', '--session-store', `rediss://:secret@127.0.0.1:${port}`];
    const env = { NODE_EXTRA_CA_CERTS: certificate };
    await using server = await startServerIn({ env }, ...usual, ...fleet);
    const name = 'millrace_session_store_up';
    assert.equal((await server.metrics(name)).get(name), 1);
  });
});

describe('servers without a session store', () => {
  it('each accept a resume token until it expires, and have no metric of a store', async () => {
    await using a = await startNode({});
    await using b = await startNode({});
    await Promise.all([a.app.ready(), b.app.ready()]);
    const token = await lostStream(a);
    await using onB = await resume(b, token);
    await using onA = await StreamClient.greet(a.streamUrl, { resume: token });
    assert.deepEqual(
      [onB, onA].map((client) => client.all('ready')[0]?.resumed),
      [true, true],
    );
    assert.doesNotMatch(await (await fetch(`${a.url}/metrics`)).text(), /^millrace_session_store_up /m);
  });
});

describe('the sessions of a token on servers with a session store', { skip: redis.skip }, () => {
  it('count together, with images', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-keys-'));
    t.after(() => rm(folder, { recursive: true }));
    const apiKeys = join(folder, 'keys.json');
    await writeFile(apiKeys, JSON.stringify([entry]));
    await using store = await RedisProcess.start();
    await using a = await startNode({ sessionStore: store.url, apiKeys });
    await using b = await startNode({ sessionStore: store.url, apiKeys });
    await Promise.all([a.app.ready(), b.app.ready()]);
    const image = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' };
      return (await fetch(`${b.url}/v1/txt2img`, { method: 'POST', headers, body: '{}' })).status;
    };
    const client = await StreamClient.greet(a.streamUrl, { token: key });
    assert.equal(await refusal(b, { token: key }), 'too_many_sessions');
    assert.notEqual(await image(), 200);
    await client[Symbol.asyncDispose]();
    await eventually(async () => assert.equal(await image(), 200));
    await using next = await StreamClient.greet(b.streamUrl, { token: key });
    assert.equal(next.all('ready').length, 1);
    assert.equal(await refusal(a, { token: key }), 'too_many_sessions');
  });
});
