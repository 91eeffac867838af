import fastifyStatic from '@fastify/static';
import type { Capabilities, ErrorCode, FrameCosts, Health, Readiness, Styles } from '@millrace/protocol';
import { fastify, LogController, type FastifyBaseLogger, type FastifyInstance } from 'fastify';
import { existsSync } from 'node:fs';
import { asError } from '../engine/as-error.js';
import type { EngineState } from '../engine/engine.js';
import type { Metrics } from '../metrics/metrics.js';
import type { OneShot } from '../session/one-shot.js';
import { decodeText } from '../text/decode-text.js';
import { bearerToken } from './bearer.js';
import type { ConnectionGuard } from './connection-guard.js';
import { errorBody, refuser } from './http-error.js';
import { serveImages } from './images.js';
import { mayReadMetrics, type MetricsAccess } from './metrics-access.js';
import { createNodeServer } from './node-server.js';
import { describeRoutes } from './openapi.js';
import { foreignHost, hostAllowed, originAllowed, type OriginRules } from './origin.js';
import type { OriginLog } from './origin-log.js';
import { SharedAnswer } from './shared-answer.js';
import { securityHeaders } from './security-headers.js';
import { serveStyles } from './styles.js';
import { noUpgrade } from './upgrade-fault.js';

export interface HttpServerOptions extends MetricsAccess {
  readonly capabilities: Capabilities;
  readonly styles: Styles;
  /** What a frame costs; null or absent if that is unknown. */
  readonly frameCosts?: () => FrameCosts | null;
  readonly engineState: () => EngineState;
  readonly metrics: Metrics;
  readonly images: OneShot;
  readonly origins: OriginRules;
  readonly originLog: OriginLog;
  /** Whether the server is going to stop. */
  readonly draining: () => boolean;
  /** Why a stream would be refused now; null or absent if it would not be. */
  readonly refusal?: () => ErrorCode | null;
  readonly occupancy: () => Readiness['sessions'];
  readonly guard: ConnectionGuard;
  /** How long a request may take to arrive, in milliseconds; 10 seconds by default. */
  readonly requestTimeout?: number;
  /** Folder of the built page. */
  readonly page: string;
  readonly log: FastifyBaseLogger;
}

const bodyAdvice =
  'the body must be a JSON object of parameters, or for POST /v1/generate a form (multipart/form-data) with an image';

/** Creates the plain HTTP side: the page, capabilities, health and metrics. It does not listen yet. */
export async function createHttpServer(options: HttpServerOptions): Promise<FastifyInstance> {
  const { capabilities, engineState, metrics, origins, page, log } = options;
  const server = fastify({
    loggerInstance: log,
    logController: new LogController({ disableRequestLogging: true }),
    forceCloseConnections: true,
    serverFactory: (handler) => createNodeServer(handler, options.guard, options.requestTimeout),
    // A path that cannot be decoded, or is too long.
    frameworkErrors(_error, _request, reply) {
      const body = JSON.stringify(errorBody('not_found'));
      const own = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) };
      reply.raw.writeHead(404, { ...securityHeaders, ...own }).end(body);
    },
    bodyLimit: 1024,
  });
  const [, version = ''] = capabilities.server.split('/');
  await describeRoutes(server, { version, parameters: capabilities.parameters });
  const refuse = refuser(metrics);
  server.addHook('onRequest', async (request, reply) => {
    const { host } = request.headers;
    if (host === undefined && request.raw.httpVersion === '1.1') {
      await refuse(reply, 'invalid_message', 'The request has no Host header.');
    } else if (!hostAllowed(host, origins)) {
      await refuse(reply, 'forbidden_origin', foreignHost);
    }
  });
  server.addHook('onSend', (_request, reply, _payload, done) => {
    reply.headers(securityHeaders);
    done();
  });
  const parseBody = server.getDefaultJsonParser('error', 'error');
  server.addContentTypeParser('application/json', { parseAs: 'buffer' }, (request, body, done) => {
    let text: string;
    try {
      text = decodeText(Buffer.from(body));
    } catch (error) {
      done(Object.assign(asError(error), { statusCode: 400 }));
      return;
    }
    void parseBody(request, text, done);
  });
  server.setErrorHandler(async (error, request, reply) => {
    // Fastify refuses a body that is too large, not JSON, or of another type.
    const status = error instanceof Error && 'statusCode' in error ? error.statusCode : 500;
    if (status === 413) return reply.code(413).send(errorBody('message_too_large'));
    // In a request without a body only the path can be wrong.
    const asks = request.method === 'GET' || request.method === 'HEAD';
    if (typeof status === 'number' && status < 500 && asks) {
      return reply.code(404).send(errorBody('not_found'));
    }
    if (typeof status === 'number' && status < 500) {
      return reply.code(status).send(errorBody('invalid_message', bodyAdvice));
    }
    log.error({ err: error }, 'a request failed');
    return reply.code(500).send(errorBody('internal'));
  });
  server.setNotFoundHandler(async (_request, reply) => reply.code(404).send(errorBody('not_found')));

  server.get('/v1/capabilities', async (_request, reply) => {
    const costs = options.frameCosts?.() ?? null;
    // Nothing in it is secret, and pages of other origins need it as much as the stream.
    reply.headers({ 'access-control-allow-origin': '*', 'cache-control': 'no-cache' });
    return reply.send({ ...capabilities, ...(costs && { frame_costs: costs }) } satisfies Capabilities);
  });
  serveStyles(server, options.styles);
  // Browsers hide from pages why a WebSocket was refused: here they get the answer to the upgrade.
  server.get('/v1/stream', async (request, reply) => {
    const { origin, host } = request.headers;
    reply.headers({
      'access-control-allow-origin': '*',
      'access-control-expose-headers': 'retry-after',
      'cache-control': 'no-store',
    });
    if (!originAllowed(origin, host, origins)) return refuse(reply, 'forbidden_origin');
    const refusal = options.refusal?.() ?? null;
    if (refusal !== null) return refuse(reply, refusal);
    return reply
      .code(426)
      .headers({ upgrade: 'websocket', connection: 'upgrade, close' })
      .send(errorBody('unsupported_protocol', noUpgrade));
  });
  await serveImages(server, { ...options, messageBytes: capabilities.limits.message_bytes });
  server.get('/healthz', async (_request, reply) => {
    const { name } = engineState();
    const healthy = name !== 'failed' && name !== 'stopped';
    return reply.code(healthy ? 200 : 503).send({ healthy, state: name } satisfies Health);
  });
  server.get('/readyz', async (_request, reply) => {
    const state = engineState();
    const draining = options.draining();
    const ready = state.name === 'ready' && !draining;
    const doing = draining ? 'stopping' : describe(state);
    return reply
      .code(ready ? 200 : 503)
      .header('cache-control', 'no-store')
      .send({ ready, state: state.name, doing, sessions: options.occupancy() } satisfies Readiness);
  });
  // Each answer takes milliseconds of the main thread: too many would slow down all sessions.
  const figures = new SharedAnswer(() => metrics.render(), { perSecond: 10, burst: 10 });
  server.get('/metrics', async (request, reply) => {
    if (!(await mayReadMetrics(bearerToken(request.headers.authorization), options))) {
      return refuse(reply, 'unauthorized');
    }
    const { contentType, body } = await figures.get();
    return reply.type(contentType).send(body);
  });
  await servePage(server, page);
  return server;
}

async function servePage(server: FastifyInstance, root: string): Promise<void> {
  if (!existsSync(root)) {
    server.get('/', async (_request, reply) =>
      reply.code(404).send(errorBody('not_found', 'the page is not built: npm run build')),
    );
    return;
  }
  await server.register(fastifyStatic, {
    root,
    // The page is built with compressed copies of its texts (.br, .gz).
    preCompressed: true,
    // Files in assets/ have a hash of their content in their names.
    setHeaders(response, path) {
      const hashed = /[\\/]assets[\\/]/.test(path);
      response.setHeader('vary', 'accept-encoding');
      response.setHeader('cache-control', hashed ? 'public, max-age=31536000, immutable' : 'no-cache');
    },
    cacheControl: false,
  });
  server.get('/dashboard', async (_request, reply) => reply.sendFile('dashboard.html'));
  server.get('/view/:session', async (_request, reply) => reply.sendFile('view/index.html'));
}

function describe(state: EngineState): string {
  switch (state.name) {
    case 'starting':
    case 'restarting':
      return state.what;
    case 'failed':
      return 'nothing: the inference engine failed';
    case 'ready':
      return 'serving';
    case 'stopped':
      return 'stopping';
  }
}
