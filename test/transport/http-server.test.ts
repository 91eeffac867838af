import assert from 'node:assert/strict';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { schemaAnnotations } from '@millrace/protocol';
import { Ajv2020 } from 'ajv/dist/2020.js';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import type { EngineState } from '../../src/engine/engine.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { anonymous } from '../../src/session/access/grant.js';
import { createHttpServer } from '../../src/transport/http-server.js';
import { ClientAddresses } from '../../src/transport/client-addresses.js';
import { OriginLog } from '../../src/transport/origin-log.js';
import { imagesOf } from '../session/images.js';
import { ManualEngine } from '../session/manual-engine.js';
import { roomyGuard } from '../support/guard.js';
import { startServer } from '../support/server.js';

const limits = { message_bytes: 1, frame_pixels: 1, unacknowledged_results: 1, updates_per_second: 1 };
const model = { name: 'model', description: '' };
const engine = new ManualEngine();
const images = imagesOf(engine);
const origins = { allowed: [], loopback: true };
const access = { required: false, verify: () => Promise.resolve(anonymous) };
const capabilities = { protocol: 'millrace.v1', server: 'test/1', model, styles: [], parameters: {}, limits };

const places = { slots: 4, served: 3, waiting: 1 };

describe('the HTTP server', () => {
  let page: string;
  let server: FastifyInstance;
  let url: string;
  let draining = false;
  let state: EngineState = { name: 'starting', what: 'loading the U-Net' };

  before(async () => {
    page = await mkdtemp(join(tmpdir(), 'millrace-page-'));
    await mkdir(join(page, 'assets'));
    await writeFile(join(page, 'index.html'), '<!doctype html><title>Page</title>');
    await writeFile(join(page, 'assets', 'main-1a2b3c.js'), 'export {};');
    server = await createHttpServer({
      capabilities,
      styles: { styles: [], moods: [] },
      engineState: () => state,
      metrics: createMetrics(),
      images,
      origins,
      originLog: new OriginLog({ warn: () => {} }, new ClientAddresses([])),
      access,
      metricsToken: '',
      draining: () => draining,
      guard: roomyGuard(),
      occupancy: () => places,
      page,
      log: pino({ level: 'silent' }),
    });
    url = await server.listen({ port: 0, host: '127.0.0.1' });
  });

  after(async () => {
    await server.close();
    await rm(page, { recursive: true });
  });

  const get = async (path: string): Promise<{ readonly response: Response; readonly text: string }> => {
    const response = await fetch(url + path);
    return { response, text: await response.text() };
  };

  it('serves the page so that a new version is seen immediately', async () => {
    const { response, text } = await get('/');
    assert.match(text, /<title>Page/);
    assert.equal(response.headers.get('cache-control'), 'no-cache');
    assert.match(response.headers.get('content-type') ?? '', /^text\/html/);
  });

  it('lets browsers cache files whose names have a hash', async () => {
    const { response } = await get('/assets/main-1a2b3c.js');
    assert.equal(response.headers.get('cache-control'), 'public, max-age=31536000, immutable');
  });

  it('stays inside the folder of the page', async () => {
    for (const path of ['/../package.json', '/%2e%2e/package.json', '/assets/..%2f..%2fpackage.json']) {
      const { response } = await get(path);
      assert.ok([403, 404].includes(response.status), `${path}: ${response.status}`);
    }
  });

  it('sends the security headers with everything', async () => {
    for (const path of ['/', '/assets/main-1a2b3c.js', '/healthz', '/nothing']) {
      const { headers } = (await get(path)).response;
      assert.match(headers.get('content-security-policy') ?? '', /default-src 'none'; script-src 'self';/);
      assert.equal(headers.get('x-content-type-options'), 'nosniff');
      assert.equal(headers.get('referrer-policy'), 'no-referrer');
    }
  });

  it('answers unknown paths with a coded error', async () => {
    const { response, text } = await get('/nothing');
    assert.equal(response.status, 404);
    assert.deepEqual(JSON.parse(text), {
      error: { code: 'not_found', message: 'There is nothing at this address.' },
    });
  });

  it('says that the stream needs a WebSocket', async () => {
    const { response, text } = await get('/v1/stream');
    assert.equal(response.status, 426);
    assert.match(text, /"unsupported_protocol"/);
  });

  it('is ready when the engine is, and reports until then what it is doing', async () => {
    const states: readonly (readonly [EngineState, ready: number, healthy: number, doing: RegExp])[] = [
      [{ name: 'starting', what: 'loading the U-Net' }, 503, 200, /loading the U-Net/],
      [
        {
          name: 'ready',
          device: 'cpu',
          calibration: { at: new Date(0), isKept: false },
          costs: [],
          rowBudget: 1,
          pictureMs: 1,
        },
        200,
        200,
        /serving/,
      ],
      [{ name: 'restarting', what: 'loading again' }, 503, 200, /loading again/],
      [{ name: 'failed', error: new Error('secret') }, 503, 503, /failed/],
      [{ name: 'stopped' }, 503, 503, /stopping/],
    ];
    for (const [engineState, ready, healthy, doing] of states) {
      state = engineState;
      const readiness = await get('/readyz');
      assert.equal(readiness.response.status, ready);
      const body = JSON.parse(readiness.text) as Record<string, unknown>;
      assert.equal(body['ready'], ready === 200);
      assert.equal(body['state'], engineState.name);
      assert.match(String(body['doing']), doing);
      assert.deepEqual(body['sessions'], places);
      assert.doesNotMatch(readiness.text, /secret/);
      assert.equal((await get('/healthz')).response.status, healthy);
    }
  });

  it('is not ready for new sessions while it drains, but still healthy', async () => {
    state = engine.state;
    draining = true;
    const { response, text } = await get('/readyz');
    assert.equal(response.status, 503);
    assert.match(text, /stopping/);
    assert.equal((await get('/healthz')).response.status, 200);
    draining = false;
    assert.equal((await get('/readyz')).response.status, 200);
  });
});

describe('a server without a built page', () => {
  it('says how to build it', async () => {
    const server = await createHttpServer({
      capabilities,
      styles: { styles: [], moods: [] },
      engineState: () => ({ name: 'stopped' }),
      metrics: createMetrics(),
      images,
      origins,
      originLog: new OriginLog({ warn: () => {} }, new ClientAddresses([])),
      access,
      metricsToken: '',
      draining: () => false,
      guard: roomyGuard(),
      occupancy: () => places,
      page: join(tmpdir(), 'millrace-no-such-page'),
      log: pino({ level: 'silent' }),
    });
    const { statusCode, body } = await server.inject('/');
    assert.equal(statusCode, 404);
    assert.match(body, /npm run build/);
    await server.close();
  });
});

describe('the whole server', () => {
  it('reports its capabilities, also to pages of other origins', async () => {
    await using server = await startServer();
    const response = await fetch(`${server.url}/v1/capabilities`);
    assert.equal(response.headers.get('access-control-allow-origin'), '*');
    const body = (await response.json()) as typeof capabilities;
    assert.deepEqual(Object.keys(body).sort(), Object.keys(capabilities).sort());
    assert.equal(body.protocol, 'millrace.v1');
    assert.match(body.server, /^millrace\/\d+\.\d+\.\d+/);
    assert.equal(body.model.name, 'tiny-sd');
    const validate = new Ajv2020({ strictTypes: false, keywords: [...schemaAnnotations] }).compile(
      body.parameters,
    );
    assert.equal(validate({ prompt: 'a fox', width: 64 }), true);
    assert.equal(validate({ width: 65 }), false);
  });

  it('serves metrics', async () => {
    await using server = await startServer();
    await server.app.ready();
    const response = await fetch(`${server.url}/metrics`);
    assert.match(response.headers.get('content-type') ?? '', /^text\/plain; version=0\.0\.4/);
    const text = await response.text();
    assert.match(text, /^millrace_engine_state\{state="ready"\} 1$/m);
    assert.match(text, /^millrace_sessions\{state="active"\} 0$/m);
    assert.match(text, /^millrace_session_slots 32$/m);
    assert.match(text, /^millrace_ready 1$/m);
    assert.match(text, /^millrace_capacity_rows_per_second [1-9]/m);
    assert.match(text, /^millrace_build_info\{version="[^"]+",model="[^"]+",device="[^"]+"\} 1$/m);
    assert.match(text, /^millrace_nodejs_eventloop_lag_p99_seconds /m);
  });
});
