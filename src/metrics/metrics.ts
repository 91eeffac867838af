import type { ErrorCode } from '@millrace/protocol';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { definitions } from './definitions.js';
import type { FrameTracer } from './frame-tracer.js';
import { createGpuReader, type GpuReading } from './gpus.js';
import { readSeries, type Reading } from './reading.js';
import { createSeries, prefix } from './series.js';
import { SessionMeter } from './session-meter.js';

type EngineStateName = (typeof definitions.engine_state.labels.state)[number];

/** What is looked up when somebody asks for the metrics. */
export interface Census {
  readonly sessions: Readonly<Record<(typeof definitions.sessions.labels.state)[number], number>>;
  /** Sessions that are served at the same time. */
  readonly slots: number;
  /** Sessions that are held to less than they are promised. */
  readonly limited: number;
  /** Sessions that wait for a place. */
  readonly queued: number;
  /** Bytes that were sent and not yet taken by the network. */
  readonly bufferedBytes: number;
  /** Whether the server takes no new sessions because it is going to stop. */
  readonly draining: boolean;
}

/**
 * Everything that the server counts and measures, as Prometheus series with the prefix `millrace_`.
 * Labels come from fixed lists of this code: nothing that a client controls becomes one.
 */
export interface Metrics {
  /** A session begins. */
  beginSession(): SessionMeter;
  /** A connection got no session. */
  sessionRefused(): void;
  /** A connection has ended, with a close code of RFC 6455 section 7.4. */
  connectionClosed(code: number): void;
  /** A client has left, this many milliseconds after it was told that the server is going to stop. */
  drained(ms: number): void;
  /** An error was reported to a client. */
  error(code: ErrorCode): void;
  /** A WebSocket message came in or went out. */
  networkBytes(direction: 'in' | 'out', bytes: number): void;
  engineState(state: EngineStateName): void;
  /** An engine died, and is being started again. */
  engineRestarted(): void;
  /** A network computed values that are not numbers. */
  notFinite(part: (typeof definitions.engine_not_finite_total.labels.part)[number]): void;
  /** Where the engine runs, and the rows of U-Net calls that it can do in a second; called again when that changes. */
  calibrated(engine: { readonly device: string; readonly rowsPerSecond: number }): void;
  /** One U-Net call of `rows` rows took `ms` milliseconds, and the pictures since the one before took `pictureMs`. */
  inference(call: { readonly rows: number; readonly ms: number; readonly pictureMs: number }): void;
  /** A prompt was looked up in the cache of embeddings. */
  embedding(lookup: { readonly hit: boolean }): void;
  /** What a dashboard shows, since the start. */
  read(): Promise<Reading>;
  /** The GPUs of this machine, now. */
  gpus(): Promise<readonly GpuReading[]>;
  /** All series in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The server that is measured. */
export interface Measured {
  readonly version: string;
  readonly model: string;
  /** What a session is promised; 0 for nothing. */
  readonly slo: { readonly fps: number; readonly latencySeconds: number };
  readonly census: () => Census;
  /** Takes the ways of some frames, if anybody wants them. */
  readonly tracer?: FrameTracer | null;
}

/**
 * Creates the series in a registry of their own, so that several servers in one process stay apart.
 * @param server left out where there is none, but only parts of one.
 * @param readGpus tells of the GPUs of this machine.
 */
export function createMetrics(server?: Measured, readGpus = createGpuReader()): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  // Sums of series that are there by type as well, and named as only counters should be.
  for (const what of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`${prefix}nodejs_active_${what}_total`);
  }
  const series = createSeries(registry);
  const showBuild = (device: string): void => {
    if (!server) return;
    series.build_info.reset();
    series.build_info.set({ version: server.version, model: server.model, device }, 1);
  };
  showBuild('unknown');
  let engine: EngineStateName = 'starting';
  let devices = 1;

  if (server) {
    series.slo_frames_per_second.set(server.slo.fps);
    series.slo_latency_seconds.set(server.slo.latencySeconds);
  }

  const takeCensus = ({ sessions, slots, limited, queued, bufferedBytes, draining }: Census): void => {
    for (const [state, count] of Object.entries(sessions)) series.sessions.set({ state }, count);
    series.session_slots.set(slots);
    series.sessions_limited.set(limited);
    series.admission_queue_length.set(queued);
    series.send_buffered_bytes.set(bufferedBytes);
    series.draining.set(draining ? 1 : 0);
    series.ready.set(engine === 'ready' && !draining ? 1 : 0);
  };
  const showGpus = (readings: readonly GpuReading[]): void => {
    for (const { gpu, usedBytes, totalBytes, utilization } of readings) {
      series.gpu_memory_used_bytes.set({ gpu }, usedBytes);
      series.gpu_memory_total_bytes.set({ gpu }, totalBytes);
      if (utilization !== null) series.gpu_utilization_ratio.set({ gpu }, utilization);
    }
  };
  const closeCodes: ReadonlySet<string> = new Set(definitions.session_closes_total.labels.code);

  return {
    beginSession: () => new SessionMeter(series, undefined, server?.tracer),
    sessionRefused: () => series.sessions_total.inc({ result: 'refused' }),
    connectionClosed(code) {
      const known = closeCodes.has(`${code}`);
      series.session_closes_total.inc({ code: known ? `${code}` : 'other' });
    },
    drained: (ms) => series.drain_seconds.observe(ms / 1000),
    error(code) {
      series.errors_total.inc({ code });
      if (code === 'unauthorized') series.auth_failures_total.inc();
      if (code === 'invalid_resume_token') series.resumes_total.inc({ result: 'refused' });
      if (code === 'rate_limited') series.rate_limited_total.inc();
    },
    networkBytes: (direction, bytes) => series.network_bytes_total.inc({ direction }, bytes),
    engineState(state) {
      engine = state;
      for (const name of definitions.engine_state.labels.state) {
        series.engine_state.set({ state: name }, name === state ? 1 : 0);
      }
    },
    engineRestarted: () => series.engine_restarts_total.inc(),
    notFinite: (part) => series.engine_not_finite_total.inc({ part }),
    calibrated({ device, rowsPerSecond }) {
      devices = device.split(',').length;
      showBuild(device);
      series.capacity_rows_per_second.set(rowsPerSecond);
    },
    inference({ rows, ms, pictureMs }) {
      series.inference_rows.observe(rows);
      series.inference_seconds.observe(ms / 1000);
      series.engine_busy_seconds_total.inc((ms + pictureMs) / 1000 / devices);
    },
    embedding: ({ hit }) => series.embedding_cache_requests_total.inc({ result: hit ? 'hit' : 'miss' }),
    read: () => readSeries(series),
    gpus: readGpus,
    async render() {
      showGpus(await readGpus());
      if (server) takeCensus(server.census());
      return { contentType: registry.contentType, body: await registry.metrics() };
    },
  };
}
