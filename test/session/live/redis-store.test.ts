import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { pino } from 'pino';
import { createRedisStore } from '../../../src/session/live/redis-store.js';
import type { Claim } from '../../../src/session/live/session-store.js';
import { Link } from '../../fleet/link.js';
import { makeCertificate, openssl } from '../../support/certificate.js';
import { freePort } from '../../support/free-port.js';
import { redis, RedisProcess } from '../../fleet/redis-process.js';

type Store = NonNullable<Awaited<ReturnType<typeof createRedisStore>>>;

interface Node extends AsyncDisposable {
  readonly store: Store;
  /** Sessions that it lost to others. */
  readonly lost: string[];
  /** What it logged. */
  readonly lines: string[];
  /** Whether the store answered, as the metric says; null before it says anything. */
  readonly up: boolean | null;
}

/** A server's side of the store. */
async function node(url: string, secret = 'the same'): Promise<Node> {
  const lost: string[] = [];
  const lines: string[] = [];
  let up: boolean | null = null;
  const store = await createRedisStore({
    url,
    secret,
    tokenLifeMs: 60_000,
    onLost(id) {
      lost.push(id);
      store?.release(id);
    },
    metrics: { sessionStore: (answers) => (up = answers) },
    log: pino({ level: 'info' }, { write: (line) => lines.push(line) }),
  });
  assert.ok(store);
  await store.start();
  return {
    store,
    lost,
    lines,
    get up() {
      return up;
    },
    [Symbol.asyncDispose]: () => store[Symbol.asyncDispose](),
  };
}

const claim = (id: string, counter = 0, changes: Partial<Claim> = {}): Claim => ({
  id,
  subject: 'ann',
  counter,
  most: Infinity,
  ...changes,
});

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await pause(20);
}

async function numberOf(answer: Promise<number | string>): Promise<number> {
  const value = await answer;
  if (typeof value !== 'number') assert.fail(`refused: ${value}`);
  return value;
}

describe('a session store in Redis', { skip: redis.skip }, () => {
  it('gives a session that moves numbers above all that its former server can issue', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await using b = await node(process.url);
    const first = await numberOf(a.store.claim(claim('s')));
    const second = await numberOf(b.store.claim(claim('s', first + 1)));
    assert.ok(second > first + 1000);
    assert.ok((await numberOf(a.store.claim(claim('s', first + 1)))) > second + 1000);
  });

  it('refuses spent tokens on all servers, and lets only the present server spend', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await using b = await node(process.url);
    const from = await numberOf(a.store.claim(claim('s')));
    a.store.spend('s', from + 1);
    // Commands of one server arrive in order.
    assert.equal(await a.store.claim(claim('s', from + 1)), 'spent');
    assert.equal(await b.store.claim(claim('s', from + 1)), 'spent');
    const moved = await numberOf(b.store.claim(claim('s', from + 2)));
    a.store.end('s');
    await a.store.claim(claim('another'));
    await numberOf(b.store.claim(claim('s', moved + 1)));
    b.store.end('s');
    assert.equal(await b.store.claim(claim('s', moved + 1_000_000)), 'spent');
  });

  it('counts the sessions of a user on all servers, not those of others', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await using b = await node(process.url);
    await using stranger = await node(process.url, 'another fleet');
    const limit = { most: 2 };
    await numberOf(a.store.claim(claim('1', 0, limit)));
    await numberOf(b.store.claim(claim('2', 0, limit)));
    assert.equal(await b.store.claim(claim('3', 0, limit)), 'too_many');
    await numberOf(b.store.claim(claim('4', 0, { most: 1, subject: 'bob' })));
    await numberOf(stranger.store.claim(claim('5', 0, limit)));
    // A session that moves has its place already.
    await numberOf(b.store.claim(claim('1', 1, limit)));
    // Its former server no longer holds the place.
    a.store.release('1');
    await a.store.claim(claim('6', 0, { subject: 'eve' }));
    assert.equal(await a.store.claim(claim('3', 0, limit)), 'too_many');
    b.store.release('2');
    await numberOf(b.store.claim(claim('3', 0, limit)));
    assert.doesNotMatch(await process.command('KEYS *'), /ann|bob|eve/);
  });

  it('tells a server that another has its session', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await using b = await node(process.url);
    await numberOf(a.store.claim(claim('s')));
    await numberOf(b.store.claim(claim('s', 1)));
    await until(() => a.lost.length > 0);
    assert.deepEqual([a.lost, b.lost], [['s'], []]);
  });

  it('goes on without a store that dies or hangs, says so once, and comes back with what it knows', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await using b = await node(process.url);
    const from = await numberOf(a.store.claim(claim('s')));
    await process.kill();
    await until(() => a.up === false && b.up === false);
    assert.equal(await a.store.claim(claim('t', 7, { most: 0 })), 7, 'each server follows its own rules');
    a.store.spend('s', from + 3);
    await pause(500);
    await process.start();
    await until(() => a.up === true && b.up === true);
    assert.equal(await b.store.claim(claim('s', from + 3)), 'spent', 'it was spent while the store was down');
    process.signal('SIGSTOP');
    const begun = performance.now();
    await numberOf(a.store.claim(claim('u', 3, { most: 1 })));
    assert.ok(performance.now() - begun < 1500, 'a store that hangs holds nobody up');
    await until(() => a.up === false);
    process.signal('SIGCONT');
    await until(() => a.up === true);
    const messages = a.lines.map((line) => (JSON.parse(line) as { msg: string }).msg.split(':')[0]);
    const [answers, isDown] = ['the session store answers', 'the session store is down'];
    assert.deepEqual(messages, [answers, isDown, answers, isDown, answers]);
  });

  it('never closes a session that was opened while the store was down', async () => {
    await using process = await RedisProcess.start();
    await using link = await Link.to(process.port);
    await using a = await node(`redis://127.0.0.1:${link.port}`);
    await using b = await node(process.url);
    link.fallSilent();
    await until(() => a.up === false);
    assert.equal(await a.store.claim(claim('s', 1)), 1);
    await numberOf(b.store.claim(claim('s', 1)));
    link.heal();
    await until(() => a.up === true);
    // Longer than it takes to find out that a session was lost.
    await pause(6500);
    assert.deepEqual(a.lost, []);
  });

  it('goes on without a store that answers later than clients wait, and says so', async () => {
    await using process = await RedisProcess.start();
    await using link = await Link.to(process.port);
    await using a = await node(`redis://127.0.0.1:${link.port}`);
    assert.equal(a.up, true);
    link.delay(150);
    await until(() => a.up === false);
    assert.match(a.lines.at(-1) ?? '', /it takes longer than the 200 ms that clients wait for it/);
    assert.equal(await a.store.claim(claim('s', 3, { most: 0 })), 3, 'nobody waits, and the own rules hold');
    link.delay(0);
    await until(() => a.up === true);
  });

  it('says what is wrong with a password, without the password', async () => {
    await using process = await RedisProcess.start('--requirepass', 'right');
    await using a = await node(process.url.replace('//', '//:wrong-word@'));
    assert.equal(a.up, false);
    assert.match(a.lines[0] ?? '', /WRONGPASS/);
    assert.doesNotMatch(a.lines.join(''), /wrong-word/);
    assert.equal(await a.store.claim(claim('s', 5)), 5);
    await using b = await node(process.url.replace('//', '//:right@'));
    assert.equal(b.up, true);
    await using c = await node(process.url);
    assert.equal(c.up, false);
    assert.match(c.lines[0] ?? '', /NOAUTH/);
  });

  it('overwrites what is not its own', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await numberOf(a.store.claim(claim('x', 0, { most: 1 })));
    const [user = ''] = /millrace:1:user:\S+/.exec(await process.command('KEYS *:user:*')) ?? [];
    a.store.release('x');
    for (const wrong of [
      'SET KEY text',
      'LPUSH KEY 1',
      'HSET KEY spent -1 high 1e99 owner x',
      'ZADD KEY inf x 1 y',
    ]) {
      for (const key of ['millrace:1:session:s', user]) {
        await process.command(`DEL ${key}`);
        await process.command(wrong.replace('KEY', key));
      }
      const from = await numberOf(a.store.claim(claim('s', 1, { most: 1 })));
      assert.ok(from > 1 && from < 2 ** 22, `${wrong}: ${from}`);
      a.store.release('s');
    }
    assert.equal(a.up, true);
  });

  it('leaves nothing behind for ever', async () => {
    await using process = await RedisProcess.start();
    await using a = await node(process.url);
    await numberOf(a.store.claim(claim('s')));
    const keys = (await process.command('KEYS *')).match(/millrace:\S+/g) ?? [];
    assert.ok(keys.length >= 2);
    for (const key of keys) assert.match(await process.command(`PTTL ${key}`), /^:[1-9]/, key);
  });
});

describe('a session store that cannot be reached', () => {
  const wrong = [
    ['redis://:secret@store.invalid', /DNS has no address for store\.invalid \((ENOTFOUND|EAI_AGAIN)\)/],
    ['redis://:secret@127.0.0.1:1', /nothing listens at 127\.0\.0\.1:1 \(ECONNREFUSED\)/],
  ] as const;
  for (const [url, reason] of wrong) {
    it(`holds nobody up, and is said once: ${url}`, async () => {
      await using a = await node(url);
      await until(() => a.up === false);
      assert.equal(await a.store.claim(claim('s', 5)), 5);
      const [line = '', ...others] = a.lines;
      assert.match(line, reason);
      assert.doesNotMatch(line, /secret/);
      assert.equal(others.length, 0);
    });
  }

  it('such as one whose certificate is not trusted', { skip: redis.skip || openssl.skip }, async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'millrace-redis-'));
    t.after(() => rm(folder, { recursive: true }));
    const { certificate, key } = makeCertificate(folder, 'IP:127.0.0.1');
    const port = await freePort();
    const files = ['--tls-cert-file', certificate, '--tls-key-file', key, '--tls-ca-cert-file', certificate];
    await using process = await RedisProcess.start('--tls-port', `${port}`, ...files);
    await using a = await node(`rediss://127.0.0.1:${port}`);
    await until(() => a.up === false);
    assert.match(a.lines[0] ?? '', /certificate is not trusted .*NODE_EXTRA_CA_CERTS/);
    assert.notEqual(process.port, port);
  });
});

describe('the settings of a session store', () => {
  const settings = { tokenLifeMs: 1000, onLost: () => {}, metrics: { sessionStore: () => {} } };
  const log = pino({ level: 'silent' });

  it('name no store, or a Redis and a common key', async () => {
    assert.equal(await createRedisStore({ ...settings, log, url: '', secret: '' }), null);
    const refused = async (url: string, reason: RegExp): Promise<void> =>
      assert.rejects(createRedisStore({ ...settings, log, url, secret: 'x' }), reason);
    for (const url of ['localhost:6379', 'http://localhost', 'redis://', 'redis://host:port', 'redis:///0']) {
      await refused(url, /redis:\/\/ or rediss:\/\//);
    }
    await refused('redis://host/sessions', /the database is a number, .*, not "sessions"$/);
    await refused('redis://:100%sure@host', /^Error: sessionStore: a "%" .* is written as %25$/);
    const url = 'redis://127.0.0.1:1';
    await assert.rejects(createRedisStore({ ...settings, log, url, secret: '' }), /needs resumeKey/);
  });
});
