import { subprotocol, textLimits, type Readiness } from '@millrace/protocol';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import { solversFor } from './diffusion/solvers/create.js';
import { createEngines, engineSettings } from './engine/host/engine-group.js';
import { EngineReports } from './engine-reports.js';
import { pictureCodec, type PictureCodec } from './image/codec.js';
import { createMetrics } from './metrics/metrics.js';
import { openTraces } from './metrics/open-traces.js';
import { Sampler } from './metrics/sampler.js';
import { limitsFrom } from './limits.js';
import { readModelFolder } from './model/folder.js';
import { packagePath, version } from './package.js';
import { accessSettings, createAccess } from './session/access/access.js';
import { createSessionKeys } from './session/access/session-keys.js';
import { Admission } from './session/admission/admission.js';
import { Capacity } from './session/admission/capacity.js';
import { decodersFor, PictureTurns } from './session/frames/picture-turns.js';
import { OneShot } from './session/one-shot.js';
import { createParameterRules } from './session/live/parameter-rules.js';
import { TokenBucket } from './session/time/token-bucket.js';
import { PauseWatch } from './session/time/pause-watch.js';
import { commonLimits } from './session/connection/ready-message.js';
import { Audiences } from './session/live/audience.js';
import { createResumeTokens } from './session/live/resume-token.js';
import { createRedisStore } from './session/live/redis-store.js';
import { Sessions } from './session/live/sessions.js';
import { StyleImages } from './session/live/style-images.js';
import { TokenFaults } from './session/live/token-faults.js';
import { Connections } from './session/connection/connections.js';
import { readProcessors } from './settings/processors.js';
import type { Settings } from './settings/settings.js';
import { serveAdmin } from './transport/admin.js';
import { ClientAddresses } from './transport/client-addresses.js';
import { addPrograms } from './transport/compat/programs.js';
import { ConnectionGuard } from './transport/connection-guard.js';
import { usableConnections } from './transport/descriptors.js';
import { FleetAgents } from './transport/fleet-agents.js';
import { createHttpServer } from './transport/http-server.js';
import { isLoopback } from './transport/origin.js';
import { OriginLog } from './transport/origin-log.js';
import { OscServer } from './transport/osc-server.js';
import { StreamServer } from './transport/stream-server.js';
import { serveViewers } from './transport/viewers.js';

/**
 * The whole server. Disposing of it sends clients elsewhere, ends their sessions after a time, and stops the listener
 * and the engine.
 */
export interface App extends AsyncDisposable {
  /**
   * Starts to listen, and starts the engine; requests that need the engine are refused until it is ready.
   * @returns where it listens.
   * @throws {Error} with the code of the operating system (EADDRINUSE, EACCES, ...), or one that explains why the agent
   *   cannot listen.
   */
  listen(): Promise<AddressInfo>;
  /** Waits until the engine is ready. @throws if it cannot be started. */
  ready(): Promise<void>;
  /** Sends clients elsewhere and ends the sessions that are left after `seconds`. Later calls have no effect. */
  drain(seconds: number): Promise<void>;
  /** Settles when the engine has failed for good: nothing works any more. */
  readonly failed: Promise<Error>;
  /** Whether an inference call is still running after the server was disposed of: nothing can end it. */
  readonly hanging: boolean;
  /** Logs and counts an error that nothing handled. */
  reportUnhandled(error: unknown): void;
}

/** The parts of a server that can be replaced: benchmarks measure it around others. */
export interface AppParts {
  readonly createEngine: typeof createEngines;
  readonly pictures: PictureCodec;
}

/**
 * Puts the parts of the server together.
 * @throws {ModelError} if the model folder is invalid.
 * @throws {DeviceError} if there is no such device.
 */
export async function createApp(
  settings: Settings,
  log: Logger,
  { createEngine, pictures }: AppParts = { createEngine: createEngines, pictures: pictureCodec },
): Promise<App> {
  const model = await readModelFolder(settings.model);
  const { name, description, styles, moods } = model;
  const server = `millrace/${version}`;
  const tracer = await openTraces(version, process.env);
  const slo = { fps: settings.sloFps, latencySeconds: settings.sloLatencySeconds };
  const rules = createParameterRules({ ...model, solvers: solversFor(model.scheduler) });
  const limits = limitsFrom(settings);
  const access = await createAccess(accessSettings(settings));
  const metrics = createMetrics({ version, model: name, slo, census: () => connections.census(), tracer });
  const tokenLifeMs = settings.resumeSeconds * 1000;
  const store = await createRedisStore({
    url: settings.sessionStore,
    secret: settings.resumeKey,
    tokenLifeMs,
    onLost: (id) => sessions.lose(id),
    metrics,
    log,
  });
  const sessions = new Sessions(settings.graceSeconds * 1000, tokenLifeMs, store);
  const capacity = new Capacity({
    slo,
    most: settings.maxSessions,
    maxCallMs: settings.maxCallSeconds * 1000,
    parameters: rules.defaults,
    present: () => sessions.parameters(),
  });
  const admission = new Admission({
    slots: () => capacity.slots,
    queueLength: settings.queueLength,
    queueTimeoutMs: settings.queueSeconds * 1000,
  });
  const reports = new EngineReports({ metrics, capacity, admission, log });
  const engine = createEngine({ model: settings.model, ...engineSettings(settings), observer: reports });
  const tokenFaults = new TokenFaults(settings.resumeKey !== '', metrics, log);
  const tokens = createResumeTokens({
    secret: settings.resumeKey,
    lifetimeMs: tokenLifeMs,
    onFault: (fault) => tokenFaults.note(fault),
    // It comes back in a hello, which needs room for its other fields.
    maxLength: Math.min(textLimits.resume, limits.messageBytes - 16 * 1024),
  });
  const keys = createSessionKeys({ secret: settings.resumeKey });
  const { maxViewersPerSession: perSession, maxViewers: perServer, viewLinkSeconds: linkSeconds } = settings;
  const audiences = new Audiences({ perSession, perServer }, metrics);
  const pauses = new PauseWatch();
  const turns = new PictureTurns(decodersFor(readProcessors().usable));
  const styleImages = new StyleImages({
    pictures,
    turns,
    maxPixels: limits.framePixels,
    side: model.styleImageSide,
  });
  const pictureWork = { pictures, turns, styleImages };
  const images = new OneShot({
    engine,
    rules,
    sessions,
    capacity,
    ...pictureWork,
    most: Math.ceil(settings.maxSessions / 4),
    perMinute: settings.maxImagesPerMinute,
    framePixels: limits.framePixels,
  });
  const connections = new Connections({
    engine,
    model: name,
    server,
    rules,
    limits,
    access,
    admission,
    capacity,
    sessions,
    tokens,
    keys,
    audiences,
    metrics,
    pauses,
    ...pictureWork,
    recentImages: (ms) => images.recent(ms),
    keepPictures: settings.dashboardThumbnails,
    log,
  });
  const origins = { allowed: settings.allowedOrigins, loopback: isLoopback(settings.host) };
  const clients = new ClientAddresses(settings.trustedProxies);
  const guard = new ConnectionGuard({
    connections: usableConnections(settings.maxConnections, log),
    plainPerAddress: settings.maxPlainConnectionsPerAddress,
    requestsPerSecond: settings.maxRequestsPerSecond,
    clients,
  });
  const routes = {
    engineState: () => engine.state,
    metrics,
    images,
    origins,
    originLog: new OriginLog(log, clients),
    access,
    guard,
    draining: () => connections.draining,
    occupancy: (): Readiness['sessions'] => ({
      slots: capacity.slots,
      served: admission.served,
      waiting: admission.waiting,
    }),
  };
  const http = await createHttpServer({
    ...routes,
    capabilities: {
      protocol: subprotocol,
      server,
      model: { name, description },
      styles,
      parameters: rules.schema,
      limits: commonLimits(limits),
    },
    styles: { styles, moods },
    frameCosts: () => capacity.frameCosts,
    metricsToken: settings.metricsToken,
    refusal: () => connections.refusal,
    page: packagePath('clients/web/dist'),
    log,
  });
  const programs = await addPrograms(http, settings.compat, { ...routes, model, rules });
  const sampler = new Sampler({
    read: () => metrics.read(),
    census: () => connections.census(),
    gpus: () => metrics.gpus(),
    onError: (error) => log.warn({ err: error }, 'a sample for the dashboard failed'),
  });
  serveAdmin(http, {
    ...routes,
    rules: { access, origins, metricsToken: settings.metricsToken, adminToken: settings.adminToken },
    server,
    model: { name, description },
    capacity,
    slo,
    connections,
    sampler,
    thumbnails: settings.dashboardThumbnails,
    drain: () => void connections.drain(settings.drainSeconds * 1000),
  });
  serveViewers(http, { ...routes, sessions, keys, audiences, linkSeconds });
  const stream = new StreamServer({
    ...routes,
    http: http.server,
    connections,
    log,
    messageBytes: limits.messageBytes,
    messagesPerSecond: settings.maxMessagesPerSecond,
    addresses: {
      connections: settings.maxConnectionsPerAddress,
      connectsPerMinute: settings.maxConnectsPerMinute,
    },
    programs,
    pingIntervalMs: settings.pingSeconds * 1000,
  });
  const agents = new FleetAgents(
    settings,
    () => ({ engine: engine.state.name, draining: connections.draining, ...routes.occupancy() }),
    log,
  );
  const osc = new OscServer({
    schemas: rules.schema.properties,
    sessions: () => connections.active,
    steer: (update, session) => connections.steer(update, session),
    log,
  });
  const unhandledLogs = new TokenBucket(1, 10);
  return {
    failed: reports.failed,
    get hanging() {
      return reports.hanging;
    },
    reportUnhandled(error) {
      metrics.error('internal');
      // Failing to write the log is such an error too, and must not cause the next.
      if (!unhandledLogs.take()) return;
      log.error({ err: error }, 'an unhandled error: the server keeps running; report it as a bug');
    },
    async listen() {
      const { oscHost, oscPort } = settings;
      await store?.start();
      await agents.listen();
      if (oscPort !== 0) await osc.listen(oscHost, oscPort);
      await http.listen({ host: settings.host, port: settings.port });
      // `ready` and `failed` report a failure.
      engine.start().catch(() => {});
      sampler.start();
      agents.start();
      const address = http.server.address();
      if (address === null || typeof address === 'string') throw new Error('the server has no address');
      return address;
    },
    ready: () => engine.start(),
    drain: (seconds) => connections.drain(seconds * 1000),
    async [Symbol.asyncDispose]() {
      sampler[Symbol.dispose]();
      pauses[Symbol.dispose]();
      await connections.drain(settings.drainSeconds * 1000);
      await stream[Symbol.asyncDispose]();
      await osc[Symbol.asyncDispose]();
      await http.close();
      await store?.[Symbol.asyncDispose]();
      await agents[Symbol.asyncDispose]();
      await engine[Symbol.asyncDispose]();
      await tracer?.[Symbol.asyncDispose]();
    },
  };
}
