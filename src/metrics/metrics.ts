import type { ErrorCode } from '@millrace/protocol';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { definitions } from './definitions.js';
import type { FrameTracer } from './frame-tracer.js';
import { createGpuReader, type GpuReading } from './gpus.js';
import { readSeries, type Reading } from './reading.js';
import { createSeries, prefix } from './series.js';
import { SessionMeter } from './session-meter.js';

type EngineStateName = (typeof definitions.engine_state.labels.state)[number];

/** The state that is read when the metrics are requested. */
export interface Census {
  readonly sessions: Readonly<Record<(typeof definitions.sessions.labels.state)[number], number>>;
  /** Sessions that can be served at the same time. */
  readonly slots: number;
  /** Sessions that are limited to less than the SLO. */
  readonly limited: number;
  /** Sessions waiting for a slot. */
  readonly queued: number;
  /** Bytes sent but not yet taken by the network. */
  readonly bufferedBytes: number;
  /** Whether the server refuses new sessions because it is going to stop. */
  readonly draining: boolean;
}

/**
 * Everything that the server counts and measures, as Prometheus series with the prefix `millrace_`. Labels come from
 * fixed lists in this code: clients control none.
 */
export interface Metrics {
  /** Creates the meter of a session that begins. */
  beginSession(): SessionMeter;
  /** Counts a connection that got no session. */
  sessionRefused(): void;
  /** Counts a connection that ended, by close code (RFC 6455 section 7.4). */
  connectionClosed(code: number): void;
  /** Measures how many milliseconds a client took to leave after the announcement that the server will stop. */
  drained(ms: number): void;
  /** Counts an error that was reported to a client. */
  error(code: ErrorCode): void;
  /** Counts the bytes of a WebSocket message. */
  networkBytes(direction: 'in' | 'out', bytes: number): void;
  /** Shows whether the session store answers. */
  sessionStore(up: boolean): void;
  engineState(state: EngineStateName): void;
  /** Counts a failed engine that is being restarted. */
  engineRestarted(): void;
  /** Counts values of a network that are not finite. */
  notFinite(part: (typeof definitions.engine_not_finite_total.labels.part)[number]): void;
  /** Counts a result that was blurred, since the safety checker flagged it. */
  flagged(): void;
  /** Shows where the engine runs. @param device several are separated by commas. */
  engineReady(device: string): void;
  /** Shows how many U-Net rows per second the engine can compute. */
  capacity(rowsPerSecond: number): void;
  /** Measures a U-Net call: `rows` rows took `ms` milliseconds, and the pictures since the last call `pictureMs`. */
  inference(call: { readonly rows: number; readonly ms: number; readonly pictureMs: number }): void;
  /** Counts a prompt that was looked up in the embedding cache. */
  embedding(lookup: { readonly hit: boolean }): void;
  /** Reads what a dashboard shows, since the start. */
  read(): Promise<Reading>;
  /** Reads the current state of the GPUs of this machine. */
  gpus(): Promise<readonly GpuReading[]>;
  /** Returns all series in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The server that is measured. */
export interface MeasuredServer {
  readonly version: string;
  readonly model: string;
  /** SLO of a session; 0 for none. */
  readonly slo: { readonly fps: number; readonly latencySeconds: number };
  readonly census: () => Census;
  /** Records traces of sampled frames, if they are wanted. */
  readonly tracer?: FrameTracer | null;
}

/**
 * Creates the series in a registry of their own, so that several servers in one process stay apart.
 * @param server absent if only parts of a server run.
 * @param readGpus reads the GPUs of this machine.
 */
export function createMetrics(server?: MeasuredServer, readGpus = createGpuReader()): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry, prefix });
  // These sum up series that also exist by type, and have names that only counters should have.
  for (const what of ['handles', 'requests', 'resources']) {
    registry.removeSingleMetric(`${prefix}nodejs_active_${what}_total`);
  }
  const series = createSeries(registry);
  // Absent until it is set: most servers have no store.
  series.session_store_up.remove();
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
    sessionStore: (up) => series.session_store_up.set(up ? 1 : 0),
    engineState(state) {
      engine = state;
      for (const name of definitions.engine_state.labels.state) {
        series.engine_state.set({ state: name }, name === state ? 1 : 0);
      }
    },
    engineRestarted: () => series.engine_restarts_total.inc(),
    notFinite: (part) => series.engine_not_finite_total.inc({ part }),
    flagged: () => series.engine_flagged_total.inc(),
    engineReady(device) {
      devices = device.split(',').length;
      showBuild(device);
    },
    capacity: (rowsPerSecond) => series.capacity_rows_per_second.set(rowsPerSecond),
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
