import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { pino } from 'pino';
import { createMetrics } from '../../src/metrics/metrics.js';
import { anonymous } from '../../src/session/access/grant.js';
import { createHttpServer } from '../../src/transport/http-server.js';
import { ClientAddresses } from '../../src/transport/client-addresses.js';
import { OriginLog } from '../../src/transport/origin-log.js';
import { imagesOf } from '../session/images.js';
import { ManualEngine } from '../session/manual-engine.js';
import { roomyGuard } from '../support/guard.js';
import { rawHttp, type RawHttpAnswer } from '../support/raw-http.js';
import { startServer, type TestServer } from '../support/server.js';

const host = 'Host: localhost';
const close = 'Connection: close';

/** Returns a request of these lines. */
const lines = (...all: string[]): string => `${all.join('\r\n')}\r\n\r\n`;
const upgrade = (path: string, ...more: string[]): string =>
  lines(`GET ${path} HTTP/1.1`, 'Connection: Upgrade', ...more);
const webSocket = [
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==',
];
const millrace = 'Sec-WebSocket-Protocol: millrace.v1';

function refused(answer: RawHttpAnswer, status: number, code: string, message = /./): void {
  assert.equal(answer.status, status, answer.body);
  assert.match(answer.headers.get('content-security-policy') ?? '', /default-src 'none'/);
  assert.equal(answer.headers.get('x-content-type-options'), 'nosniff');
  assert.equal(answer.headers.get('referrer-policy'), 'no-referrer');
  const { error } = JSON.parse(answer.body) as { readonly error: { code: string; message: string } };
  assert.equal(error.code, code);
  assert.match(error.message, message);
}

describe('HTTP refusals', () => {
  let server: TestServer;
  before(async () => {
    server = await startServer();
  });
  after(() => server[Symbol.asyncDispose]());

  const cases: readonly (readonly [
    what: string,
    request: string,
    status: number,
    code: string,
    message?: RegExp,
  ])[] = [
    ['text that is not HTTP', 'hello\r\n\r\n', 400, 'invalid_message', /valid HTTP/],
    ['TLS', '\x16\x03\x01\x02\x00\x01\x00', 400, 'invalid_message', /valid HTTP/],
    [
      'headers that are too large',
      lines('GET / HTTP/1.1', host, `X: ${'x'.repeat(40_000)}`),
      431,
      'message_too_large',
    ],
    ['a request without Host', lines('GET / HTTP/1.1', close), 400, 'invalid_message', /Host/],
    [
      'two lengths',
      lines('POST / HTTP/1.1', host, 'Content-Length: 1', 'Content-Length: 2'),
      400,
      'invalid_message',
    ],
    ['an unknown path', lines('GET /nowhere HTTP/1.1', host, close), 404, 'not_found'],
    ['a path that cannot be decoded', lines('GET /%zz HTTP/1.1', host, close), 404, 'not_found'],
    ['a path with a NUL', lines('GET /%00 HTTP/1.1', host, close), 404, 'not_found'],
    ['a path that leaves the page', lines('GET /..%5c..%5cetc HTTP/1.1', host, close), 404, 'not_found'],
    [
      'a path with a name that no file can have',
      lines(`GET /${'a'.repeat(256)} HTTP/1.1`, host, close),
      404,
      'not_found',
    ],
    ['an unsupported method', lines('DELETE / HTTP/1.1', host, close), 404, 'not_found'],
    ['a WebDAV method', lines('PROPFIND / HTTP/1.1', host, close), 404, 'not_found'],
    ['CONNECT', lines('CONNECT localhost:1 HTTP/1.1', host), 404, 'not_found'],
    [
      'a body that is too large',
      lines(
        'POST /v1/txt2img HTTP/1.1',
        host,
        close,
        'Content-Type: application/json',
        'Content-Length: 999999',
      ),
      413,
      'message_too_large',
    ],
    [
      'the stream without an upgrade',
      lines('GET /v1/stream HTTP/1.1', host, close),
      426,
      'unsupported_protocol',
      /Upgrade: websocket.*proxy/s,
    ],
    [
      'the stream by POST',
      lines('POST /v1/stream HTTP/1.1', host, close, 'Content-Length: 0'),
      404,
      'not_found',
    ],
    [
      'an upgrade of the stream to h2c',
      upgrade('/v1/stream', host, 'Upgrade: h2c'),
      426,
      'unsupported_protocol',
      /Upgrade: websocket/,
    ],
    [
      'an upgrade to h2c',
      upgrade('/healthz', host, 'Upgrade: h2c'),
      400,
      'unsupported_protocol',
      /without the header Upgrade/,
    ],
    ['an upgrade elsewhere', upgrade('/nowhere', host, ...webSocket, millrace), 404, 'not_found'],
    [
      'an upgrade without a subprotocol',
      upgrade('/v1/stream', host, ...webSocket),
      400,
      'unsupported_protocol',
      /millrace\.v1; it offered none/,
    ],
    [
      'an upgrade without a key',
      upgrade('/v1/stream', host, 'Upgrade: websocket', millrace),
      400,
      'unsupported_protocol',
      /Sec-WebSocket-Key/,
    ],
    [
      'an upgrade by POST',
      lines('POST /v1/stream HTTP/1.1', host, 'Connection: Upgrade', ...webSocket, millrace),
      400,
      'unsupported_protocol',
      /method/,
    ],
    [
      'an upgrade from a foreign page',
      upgrade('/v1/stream', host, 'Origin: https://evil.example', ...webSocket, millrace),
      403,
      'forbidden_origin',
    ],
  ];
  for (const [what, request, status, code, message] of cases) {
    it(`${what}: ${status} ${code}, with the security headers`, async () => {
      const answer = await rawHttp(server.url, request);
      refused(answer, status, code, message);
      if (status === 426) assert.equal(answer.headers.get('upgrade'), 'websocket');
    });
  }

  const foreign = 'Host: evil.example:8420';
  const paths = [
    '/',
    '/dashboard',
    '/metrics',
    '/healthz',
    '/readyz',
    '/v1/capabilities',
    '/v1/stream',
    '/v1/admin/overview',
    '/nowhere',
  ];
  for (const path of paths) {
    it(`GET ${path} with a foreign Host header`, async () => {
      const answer = await rawHttp(server.url, lines(`GET ${path} HTTP/1.1`, foreign, close));
      refused(answer, 403, 'forbidden_origin', /Host.*--allowed-origins/s);
    });
  }
  it('posts and upgrades with a foreign Host header', async () => {
    const post = lines('POST /v1/txt2img HTTP/1.1', foreign, close, 'Content-Length: 0');
    refused(await rawHttp(server.url, post), 403, 'forbidden_origin');
    refused(
      await rawHttp(server.url, upgrade('/v1/stream', foreign, ...webSocket, millrace)),
      403,
      'forbidden_origin',
      /Host/,
    );
  });

  it('names of this machine are accepted, and so is a request without a name', async () => {
    for (const name of ['localhost:1', '127.0.0.1', '127.9.9.9:80', '[::1]:8420', 'app.localhost']) {
      const { status } = await rawHttp(server.url, lines('GET /healthz HTTP/1.1', `Host: ${name}`, close));
      assert.equal(status, 200, name);
    }
    assert.equal((await rawHttp(server.url, lines('GET /healthz HTTP/1.0'))).status, 200);
  });

  it('names of allowed origins are accepted, as a proxy passes them on', async () => {
    await using open = await startServer({ allowedOrigins: ['https://millrace.example'] });
    const { status } = await rawHttp(
      open.url,
      lines('GET /healthz HTTP/1.1', 'Host: Millrace.example:8443', close),
    );
    assert.equal(status, 200);
    refused(await rawHttp(open.url, lines('GET / HTTP/1.1', foreign, close)), 403, 'forbidden_origin');
  });
});

describe('an incomplete request', () => {
  const parts: readonly (readonly [what: string, bytes: string])[] = [
    ['nothing', ''],
    ['half a line', 'GET /heal'],
    ['headers without an end', `GET /healthz HTTP/1.1\r\n${host}\r\nX: y\r\n`],
    [
      'half a body',
      `POST /v1/txt2img HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"prompt":`,
    ],
    [
      'half a chunk',
      `POST /v1/txt2img HTTP/1.1\r\n${host}\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{"a`,
    ],
  ];
  for (const [what, bytes] of parts) {
    it(`${what}: 408 when its time is up`, async (t) => {
      const engine = new ManualEngine();
      const server = await createHttpServer({
        capabilities: {
          protocol: 'millrace.v1',
          server: 'test/1',
          model: { name: 'model', description: '' },
          styles: [],
          parameters: {},
          limits: { message_bytes: 1, frame_pixels: 1, unacknowledged_results: 1, updates_per_second: 1 },
        },
        styles: { styles: [], moods: [] },
        engineState: () => engine.state,
        metrics: createMetrics(),
        images: imagesOf(engine),
        origins: { allowed: [], loopback: true },
        originLog: new OriginLog({ warn: () => {} }, new ClientAddresses([])),
        access: { required: false, verify: () => Promise.resolve(anonymous) },
        metricsToken: '',
        draining: () => false,
        occupancy: () => ({ slots: 1, served: 0, waiting: 0 }),
        guard: roomyGuard(),
        requestTimeout: 200,
        page: '/nowhere',
        log: pino({ level: 'silent' }),
      });
      t.after(() => server.close());
      const url = await server.listen({ port: 0, host: '127.0.0.1' });
      refused(await rawHttp(url, bytes), 408, 'invalid_message', /time limit/);
    });
  }
});
