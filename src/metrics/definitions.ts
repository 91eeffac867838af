import { dropReasons, errors, stageNames, type ErrorDefinition } from '@millrace/protocol';

/** One metric, exported with the prefix `millrace_`. Base units, as is usual for Prometheus. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets?: readonly number[];
  /** All values of each label: clients control none. Null: set once at the start, by the operator. */
  readonly labels?: Readonly<Record<string, readonly string[] | null>>;
}

/** 5 ms to 5 s, and two below for fast stages. */
const frameTimes = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5];
/** Just above the intervals of 60, 30, 24, 15, 10 and 5 frames a second, among others. */
const intervals = [0.005, 0.01, 0.0175, 0.035, 0.045, 0.07, 0.105, 0.21, 0.35, 0.5, 1, 2.5, 5];
const waits = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const lives = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

const catalogued = Object.values<ErrorDefinition>(errors).flatMap(({ close }) => close ?? []);
/** Close codes that are label values: those of RFC 6455 that occur, and those of the error catalogue. */
const closeCodes = [...new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011].concat(catalogued))]
  .sort((a, b) => a - b)
  .map(String)
  .concat('other');

/** Every metric of this server; `npm run docs` generates the documentation from it. */
export const definitions = {
  build_info: {
    type: 'gauge',
    help: 'Always 1; the labels say what runs.',
    labels: { version: null, model: null, device: null },
  },
  ready: {
    type: 'gauge',
    help: '1 while the server is ready for new sessions, else 0; the same as /readyz.',
  },
  draining: { type: 'gauge', help: '1 while the server refuses new sessions because it is going to stop.' },
  session_store_up: {
    type: 'gauge',
    help: '1 while the session store answers, else 0; absent without a session store.',
  },
  engine_state: {
    type: 'gauge',
    help: '1 for the current state of the inference engine, 0 for the others.',
    labels: { state: ['starting', 'ready', 'restarting', 'failed', 'stopped'] },
  },
  engine_restarts_total: {
    type: 'counter',
    help: 'Times that the inference engine failed and was restarted.',
  },
  engine_not_finite_total: {
    type: 'counter',
    help: 'Times that a network computed values that are not finite (NaN or infinite), and a frame or prompt was dropped.',
    labels: {
      part: [
        'text_encoder',
        'image_encoder',
        'vae_encoder',
        'control',
        'unet',
        'vae_decoder',
        'preprocessor',
        'safety_checker',
      ],
    },
  },
  engine_flagged_total: {
    type: 'counter',
    help: 'Results that were blurred, since the safety checker of the model flagged them.',
  },
  engine_busy_seconds_total: {
    type: 'counter',
    help: 'Time that the inference engine was busy: U-Net calls, encoding and decoding. With several devices, their mean.',
  },
  capacity_rows_per_second: {
    type: 'gauge',
    help: 'U-Net rows per second that this device can compute if it does nothing else: calibrated at the start, corrected under load.',
  },

  slo_frames_per_second: { type: 'gauge', help: 'SLO of a session in frames per second; 0 for none.' },
  slo_latency_seconds: {
    type: 'gauge',
    help: 'SLO of a session for the time from the arrival of a frame to the sending of its result; 0 for none.',
  },

  sessions: {
    type: 'gauge',
    help: 'Sessions by state; parked ones have lost their connection, and their clients may come back.',
    labels: { state: ['opening', 'queued', 'active', 'parked', 'closing'] },
  },
  session_slots: {
    type: 'gauge',
    help: 'Sessions that can be served at the same time: the present ones, and as many more as there is room for.',
  },
  sessions_limited: {
    type: 'gauge',
    help: 'Sessions that are limited to fewer frames per second than the SLO: the engine has no time for more.',
  },
  admission_queue_length: { type: 'gauge', help: 'Sessions waiting for a slot.' },
  admission_wait_seconds: {
    type: 'histogram',
    help: 'Time that sessions waited for a slot until they got it.',
    buckets: waits,
  },
  sessions_total: {
    type: 'counter',
    help: 'Connections that opened a session, resumed one, were refused on arrival, or ended before that.',
    labels: { result: ['opened', 'resumed', 'refused', 'failed'] },
  },
  session_closes_total: {
    type: 'counter',
    help: 'Connections that ended, by WebSocket close code; other: codes that only clients send.',
    labels: { code: closeCodes },
  },
  resumes_total: {
    type: 'counter',
    help: 'Sessions that continued over another connection, and resume tokens that were refused.',
    labels: { result: ['resumed', 'refused'] },
  },
  resume_faults_total: {
    type: 'counter',
    help: 'Refused resume tokens that could not be opened: sealed with another key or changed, of another version or no tokens, or expired.',
    labels: { cause: ['key', 'version', 'expired'] },
  },
  drain_seconds: {
    type: 'histogram',
    help: 'Time from the announcement that the server will stop until a client has left.',
    buckets: waits,
  },
  session_duration_seconds: {
    type: 'histogram',
    help: 'Duration of connections that opened or resumed a session.',
    buckets: lives,
  },
  time_to_first_frame_seconds: {
    type: 'histogram',
    help: 'Time from the beginning of a session to its first result.',
    buckets: waits,
  },
  parameter_updates_total: { type: 'counter', help: 'Parameter updates that were applied.' },

  frames_received_total: { type: 'counter', help: 'Input frames received.' },
  frames_generated_total: { type: 'counter', help: 'Frames that the engine finished.' },
  frames_sent_total: { type: 'counter', help: 'Results sent.' },
  frames_dropped_total: {
    type: 'counter',
    help: 'Frames that got no result, by reason.',
    labels: { reason: dropReasons },
  },
  similarity_skips_total: {
    type: 'counter',
    help: 'Frames that the similarity filter skipped, because they were too similar to the one before.',
  },
  frame_latency_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of a frame to the sending of its result.',
    buckets: frameTimes,
  },
  frame_staleness_seconds: {
    type: 'histogram',
    help: 'Time from the arrival of a frame until its result was acknowledged: the age of what a user sees.',
    buckets: frameTimes,
  },
  inter_frame_seconds: {
    type: 'histogram',
    help: 'Time between two results of a session.',
    buckets: intervals,
  },
  frame_stage_seconds: {
    type: 'histogram',
    help: 'Time that a frame spent in one stage.',
    buckets: frameTimes,
    labels: { stage: stageNames },
  },

  viewers: {
    type: 'gauge',
    help: 'Viewers that watch results of sessions by links of their owners.',
  },
  viewer_pictures_total: {
    type: 'counter',
    help: 'Pictures for viewers: sent, or dropped because a newer one came before the network had taken the last.',
    labels: { result: ['sent', 'dropped'] },
  },
  viewer_bytes_total: { type: 'counter', help: 'Bytes of pictures sent to viewers.' },

  inference_rows: {
    type: 'histogram',
    help: 'Rows in one U-Net call; its sum counts rows.',
    buckets: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64],
  },
  inference_seconds: { type: 'histogram', help: 'Duration of one U-Net call.', buckets: frameTimes },
  embedding_cache_requests_total: {
    type: 'counter',
    help: 'Texts that were looked up in the embedding cache: prompts, and the names that some are drawn by.',
    labels: { result: ['hit', 'miss'] },
  },

  errors_total: {
    type: 'counter',
    help: 'Errors reported to clients, by code.',
    labels: { code: Object.keys(errors) },
  },
  auth_failures_total: { type: 'counter', help: 'Requests with a missing, wrong or expired token.' },
  rate_limited_total: { type: 'counter', help: 'Requests and messages refused because there were too many.' },
  network_bytes_total: {
    type: 'counter',
    help: 'Bytes of WebSocket messages, received (in) and sent (out).',
    labels: { direction: ['in', 'out'] },
  },
  send_buffered_bytes: {
    type: 'gauge',
    help: 'Bytes sent to clients but not yet taken by the network, over all sessions.',
  },

  gpu_memory_used_bytes: { type: 'gauge', help: 'GPU memory in use by all programs.', labels: { gpu: null } },
  gpu_memory_total_bytes: { type: 'gauge', help: 'Total GPU memory.', labels: { gpu: null } },
  gpu_utilization_ratio: {
    type: 'gauge',
    help: 'Share of the last sampling period in which the GPU was busy, 0 to 1.',
    labels: { gpu: null },
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof definitions;
