import assert from 'node:assert/strict';
import { request } from 'node:http';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import type { Overview } from '@millrace/protocol';
import { motionJpegFrames } from '../support/frames.js';
import { rawHttp } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const [picture = new Uint8Array()] = motionJpegFrames('walkers.mjpeg');
const prompt = 'a secret garden behind the ruined castle';
const parameters = { width: 64, height: 64, prompt };

type Headers = Readonly<Record<string, string>>;
const bearer = (token: string): Headers => ({ authorization: `Bearer ${token}` });

/** Sends a request. `fetch` does not let a test choose the Host header. */
async function ask(
  { url }: TestServer,
  path: string,
  headers: Headers = {},
  method = 'GET',
): Promise<{ readonly status: number; readonly type: string; readonly body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url + path, { headers, method }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          type: response.headers['content-type'] ?? '',
          body: Buffer.concat(chunks).toString('latin1'),
        }),
      );
    });
    sent.on('error', reject).end();
  });
}

async function overviewOf(server: TestServer, headers: Headers = {}, after = 0): Promise<Overview> {
  const { status, body } = await ask(server, `/v1/admin/overview?after=${after}`, headers);
  assert.equal(status, 200, body);
  return JSON.parse(body) as Overview;
}

describe('GET /v1/admin/overview', () => {
  it('reports the load of the server and what each session does, but no text of its user', async () => {
    await using server = await startServer();
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, parameters);
    await client.generate(0, picture);
    let overview = await overviewOf(server);
    while (!overview.history.series['latency_p50']?.some((value) => value !== null)) {
      await pause(250);
      await client.generate(client.all('result').length, picture);
      overview = await overviewOf(server);
    }

    assert.equal(overview.engine.state, 'ready');
    assert.ok(Number(overview.engine.rowsPerSecond) > 0);
    const { active, slots, limited } = overview.counts;
    assert.deepEqual([active, slots, limited], [1, 32, 0]);
    assert.deepEqual(overview.slo, { fps: 0, latencySeconds: 0.5 });
    const [session] = overview.sessions;
    assert.ok(session?.stream);
    assert.equal(session.id, client.all('ready')[0]?.session);
    assert.equal(session.state, 'active');
    assert.equal(session.address, '127.0.0.1');
    assert.equal(session.fpsLimit, null);
    assert.ok(session.figures);
    assert.equal(session.figures.received, session.figures.sent);
    assert.ok(session.figures.fpsOut > 0);
    const { width, height, promptLength } = session.stream;
    assert.deepEqual([width, height, promptLength], [64, 64, prompt.length]);

    const { times, series } = overview.history;
    for (const [name, values] of Object.entries(series)) assert.equal(values.length, times.length, name);
    assert.equal(series['active']?.at(-1), 1);
    assert.ok((series['sent'] ?? []).some((value) => value !== null && value > 0));
    assert.ok((series['latency_p50'] ?? []).some((value) => value !== null && value > 0));

    const text = JSON.stringify(overview);
    for (const word of prompt.split(' ').filter((word) => word.length > 3)) {
      assert.ok(!text.includes(word), word);
    }
    for (const { token } of client.all('checkpoint')) assert.ok(!text.includes(token));
    const newest = times.at(-1) ?? 0;
    const newer = await overviewOf(server, {}, newest);
    assert.ok(newer.history.times.every((time) => time > newest));
  });

  it('also lists sessions whose connection was lost', async () => {
    await using server = await startServer();
    await server.app.ready();
    const lost = await StreamClient.open(server.streamUrl, parameters);
    await using client = await StreamClient.open(server.streamUrl, parameters);
    lost.socket.terminate();
    await lost.closed;
    const ids = [client, lost].map((each) => each.all('ready')[0]?.session);
    let overview = await overviewOf(server);
    while (overview.counts.parked === 0) overview = await overviewOf(server);
    assert.deepEqual(
      overview.sessions.map(({ id, state }) => [id, state]),
      [
        [ids[0], 'active'],
        [ids[1], 'parked'],
      ],
    );
    const { figures, address, stream } = overview.sessions[1] ?? {};
    assert.deepEqual([figures, address, stream?.promptLength], [null, null, prompt.length]);
  });

  it('requires the token of the metrics', async () => {
    await using server = await startServer({ metricsToken: 'of-metrics' });
    for (const headers of [{}, bearer('wrong')]) {
      assert.equal((await ask(server, '/v1/admin/overview', headers)).status, 401);
    }
    const { role, thumbnails } = await overviewOf(server, bearer('of-metrics'));
    assert.deepEqual([role, thumbnails], ['reader', false]);
  });

  it('refuses pages of another origin, and requests with a foreign Host header', async () => {
    await using server = await startServer();
    const { host } = new URL(server.url);
    for (const headers of [
      { origin: 'https://elsewhere.example' },
      { origin: 'null' },
      { host: 'elsewhere.example' },
      { host: 'elsewhere.example', origin: 'http://elsewhere.example' },
    ]) {
      const { status, body } = await ask(server, '/v1/admin/overview', headers);
      assert.equal(status, 403, JSON.stringify(headers));
      assert.match(body, /"forbidden_origin"/);
    }
    assert.equal((await ask(server, '/v1/admin/overview', { host, origin: server.url })).status, 200);
  });

  it('reports nothing to readers that identifies a person', async () => {
    await using server = await startServer({ adminToken: 'of-the-admin', dashboardThumbnails: true });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, parameters);
    await client.generate(0, picture);
    const reader = await overviewOf(server);
    assert.deepEqual(
      [reader.role, reader.sessions[0]?.address, reader.sessions[0]?.picture],
      ['reader', null, false],
    );
    const admin = await overviewOf(server, bearer('of-the-admin'));
    assert.deepEqual(
      [admin.role, admin.sessions[0]?.address, admin.sessions[0]?.picture],
      ['admin', '127.0.0.1', true],
    );
  });
});

describe('GET /v1/admin/sessions/:id/picture', () => {
  it('returns the last result to admins if the operator allows it', async () => {
    for (const dashboardThumbnails of [true, false]) {
      await using server = await startServer({ adminToken: 'of-the-admin', dashboardThumbnails });
      await server.app.ready();
      await using client = await StreamClient.open(server.streamUrl, parameters);
      await client.generate(0, picture);
      const path = `/v1/admin/sessions/${client.all('ready')[0]?.session}/picture`;
      assert.equal((await ask(server, path)).status, 401);
      const { status, type, body } = await ask(server, path, bearer('of-the-admin'));
      if (!dashboardThumbnails) {
        assert.equal(status, 404);
        continue;
      }
      assert.deepEqual([status, type], [200, 'image/jpeg']);
      const { data } = await client.first('result');
      assert.ok(Buffer.from(body, 'latin1').equals(data));
      assert.equal((await ask(server, `${path}x`, bearer('of-the-admin'))).status, 404);
    }
  });
});

describe('POST /v1/admin/drain', () => {
  const drain = async (server: TestServer, headers: Headers = {}): Promise<number> =>
    (await ask(server, '/v1/admin/drain', headers, 'POST')).status;

  it('sends clients elsewhere if the request comes from this machine, and may be repeated', async () => {
    await using server = await startServer({ drainSeconds: 1 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, parameters);
    assert.equal(await drain(server, { origin: 'https://elsewhere.example' }), 403);
    assert.equal(await drain(server, { 'x-forwarded-for': '203.0.113.7' }), 401);
    assert.equal((await overviewOf(server)).draining, false);
    assert.equal(await drain(server, { origin: server.url }), 202);
    assert.equal((await client.first('drain')).deadline_seconds, 1);
    assert.equal(await drain(server), 202);
    assert.equal(client.all('drain').length, 1);
    assert.equal((await overviewOf(server)).draining, true);
    assert.equal((await ask(server, '/readyz')).status, 503);
  });

  it('closes the remaining connections at the deadline', async () => {
    await using server = await startServer({ drainSeconds: 0.2 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, parameters);
    assert.equal(await drain(server), 202);
    assert.equal((await client.first('drain')).deadline_seconds, 0.2);
    assert.deepEqual(await client.closed, { code: 1001, reason: 'shutting_down' });
  });

  it('refuses requests through a proxy, whatever header identifies it', async () => {
    await using server = await startServer();
    const headers = [
      'via',
      'forwarded',
      'x-forwarded-for',
      'x-forwarded-host',
      'x-forwarded-proto',
      'x-forwarded-server',
      'x-real-ip',
      'cf-connecting-ip',
      'cf-ray',
      'true-client-ip',
      'x-client-ip',
      'x-cluster-client-ip',
      'fastly-client-ip',
      'fly-client-ip',
      'x-azure-clientip',
      'x-amzn-trace-id',
      'x-envoy-external-address',
      'x-original-host',
      'cdn-loop',
    ];
    for (const name of headers) {
      assert.equal(await drain(server, { [name]: '127.0.0.1' }), 401, name);
      assert.equal((await overviewOf(server, { [name]: '127.0.0.1' })).role, 'reader', name);
    }
    // What the proxy module of nginx sends by default.
    const bytes = 'POST /v1/admin/drain HTTP/1.0\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n';
    assert.equal((await rawHttp(server.url, bytes)).status, 401);
    assert.equal((await overviewOf(server)).role, 'admin');
  });

  it('is not started again if the server stops during it', async () => {
    const server = await startServer({ drainSeconds: 60 });
    await server.app.ready();
    await using client = await StreamClient.open(server.streamUrl, parameters);
    assert.equal(await drain(server), 202);
    await client.first('drain');
    const stopped = server[Symbol.asyncDispose]();
    await client.generate(0, picture);
    assert.equal(client.all('drain').length, 1);
    await client[Symbol.asyncDispose]();
    await stopped;
  });

  it('requires a token if other sites are allowed: they, or a proxy of theirs, may run on this machine', async () => {
    const friend = 'https://friend.example';
    for (const allowedOrigins of [[friend], ['*']]) {
      await using server = await startServer({ allowedOrigins });
      for (const headers of [{ origin: friend }, { origin: server.url }, {}]) {
        assert.equal(await drain(server, headers), 401);
      }
      assert.equal((await overviewOf(server)).role, 'reader');
    }
  });

  it('requires the admin token if one is set, or if any token is required', async () => {
    await using server = await startServer({ adminToken: 'of-the-admin', metricsToken: 'of-metrics' });
    for (const headers of [{}, bearer('of-metrics'), bearer('of-the-admi')]) {
      assert.equal(await drain(server, headers), 401);
    }
    await using closed = await startServer({ metricsToken: 'of-metrics' });
    assert.equal(await drain(closed, bearer('of-metrics')), 401);
    // It listens on all interfaces, so any name could be its own.
    await using open = await startServer({ host: '0.0.0.0' });
    assert.equal(await drain(open, { host: 'elsewhere.example' }), 401);
    assert.equal((await overviewOf(open, { host: 'elsewhere.example' })).role, 'reader');
    assert.equal(await drain(server, bearer('of-the-admin')), 202);
  });
});
