import { dropReasons, errors, type ErrorDefinition } from '@millrace/protocol';

/** One metric: what is exported as `millrace_` and its name. Base units, as Prometheus has them. */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly help: string;
  /** Upper ends of a histogram's buckets. */
  readonly buckets?: readonly number[];
  /** All values that a label can have: a client controls none. Null: told once at the start, by the operator. */
  readonly labels?: Readonly<Record<string, readonly string[] | null>>;
}

/** Stages that a frame passes, in their order. */
const stages = ['decode', 'queue', 'encode', 'denoise', 'vae_decode', 'image_encode'] as const;

/** 5 ms to 5 s, and two below for what is quick. */
const frameTimes = [0.001, 0.0025, 0.005, 0.01, 0.02, 0.035, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1, 2.5, 5];
/** Just above the intervals of 60, 30, 24, 15, 10 and 5 frames a second, among others. */
const intervals = [0.005, 0.01, 0.0175, 0.035, 0.045, 0.07, 0.105, 0.21, 0.35, 0.5, 1, 2.5, 5];
const waits = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60];
const lives = [1, 5, 15, 60, 300, 900, 3600, 14_400, 86_400];

const catalogued = Object.values<ErrorDefinition>(errors).flatMap(({ close }) => close ?? []);
/** Close codes that get a label of their own: those of RFC 6455 that happen, and those of the error catalogue. */
const closeCodes = [...new Set([1000, 1001, 1002, 1003, 1005, 1006, 1007, 1009, 1011].concat(catalogued))]
  .sort((a, b) => a - b)
  .map(String)
  .concat('other');

/** Every metric of this server. The documentation is generated from it: `npm run docs`. */
export const definitions = {
  build_info: {
    type: 'gauge',
    help: 'Always 1; the labels tell what runs.',
    labels: { version: null, model: null, device: null },
  },
  ready: { type: 'gauge', help: '1 while new sessions are served at once, else 0; the same as /readyz.' },
  draining: { type: 'gauge', help: '1 while the server takes no new sessions because it is going to stop.' },
  engine_state: {
    type: 'gauge',
    help: '1 for the state that the inference engine is in, 0 for the others.',
    labels: { state: ['starting', 'ready', 'restarting', 'failed', 'stopped'] },
  },
  engine_restarts_total: {
    type: 'counter',
    help: 'Times that the inference engine died and was started again.',
  },
  engine_not_finite_total: {
    type: 'counter',
    help: 'Times that a network computed values that are not numbers (NaN, infinite), for which a frame or prompt was given up.',
    labels: { part: ['text_encoder', 'vae_encoder', 'unet', 'vae_decoder'] },
  },
  engine_busy_seconds_total: {
    type: 'counter',
    help: 'Time that the inference engine was at work: U-Net calls, encoding and decoding. The mean of several devices.',
  },
  capacity_rows_per_second: {
    type: 'gauge',
    help: 'Rows of U-Net calls that this device can do in a second if it does nothing else: by calibration at the start, corrected under load.',
  },

  slo_frames_per_second: { type: 'gauge', help: 'Frames a second that a session is promised; 0: none.' },
  slo_latency_seconds: {
    type: 'gauge',
    help: 'From the arrival of a frame to the sending of its result, as a session is promised it; 0: nothing.',
  },

  sessions: {
    type: 'gauge',
    help: 'Sessions by state; parked ones have lost their connection, and their clients may come back.',
    labels: { state: ['opening', 'queued', 'active', 'parked', 'closing'] },
  },
  session_slots: {
    type: 'gauge',
    help: 'Sessions that are served at the same time: those there are, and as many more as there is room for.',
  },
  sessions_limited: {
    type: 'gauge',
    help: 'Sessions that are held to fewer frames a second than they are promised: the engine has no time for more.',
  },
  admission_queue_length: { type: 'gauge', help: 'Sessions that wait for a place.' },
  admission_wait_seconds: {
    type: 'histogram',
    help: 'From the wish for a place to the place, of those who got one.',
    buckets: waits,
  },
  sessions_total: {
    type: 'counter',
    help: 'Connections that opened a session, resumed one, were refused at the door, or ended before.',
    labels: { result: ['opened', 'resumed', 'refused', 'failed'] },
  },
  session_closes_total: {
    type: 'counter',
    help: 'Connections that ended, by WebSocket close code; other is what only clients send.',
    labels: { code: closeCodes },
  },
  resumes_total: {
    type: 'counter',
    help: 'Sessions that went on with another connection, and resume tokens that were refused.',
    labels: { result: ['resumed', 'refused'] },
  },
  drain_seconds: {
    type: 'histogram',
    help: 'From the announcement that the server is going to stop until a client has left.',
    buckets: waits,
  },
  session_duration_seconds: {
    type: 'histogram',
    help: 'From the beginning of a connection that opened or resumed a session to its end.',
    buckets: lives,
  },
  time_to_first_frame_seconds: {
    type: 'histogram',
    help: 'From the beginning of a session to its first result.',
    buckets: waits,
  },
  parameter_updates_total: { type: 'counter', help: 'Changes of parameters that were carried out.' },

  frames_received_total: { type: 'counter', help: 'Input frames received.' },
  frames_generated_total: { type: 'counter', help: 'Frames that the engine finished.' },
  frames_sent_total: { type: 'counter', help: 'Results sent.' },
  frames_dropped_total: {
    type: 'counter',
    help: 'Frames that got no result of their own, by reason.',
    labels: { reason: dropReasons },
  },
  similarity_skips_total: {
    type: 'counter',
    help: 'Frames that the similarity filter found too much like the one before to be worked on.',
  },
  frame_latency_seconds: {
    type: 'histogram',
    help: 'From the arrival of a frame to the sending of its result.',
    buckets: frameTimes,
  },
  frame_staleness_seconds: {
    type: 'histogram',
    help: 'From the arrival of a frame until its result was acknowledged: how old is what a user sees.',
    buckets: frameTimes,
  },
  inter_frame_seconds: {
    type: 'histogram',
    help: 'Between one result of a session and the next.',
    buckets: intervals,
  },
  frame_stage_seconds: {
    type: 'histogram',
    help: 'Time that a frame spent in one stage.',
    buckets: frameTimes,
    labels: { stage: stages },
  },

  inference_rows: {
    type: 'histogram',
    help: 'Rows in one U-Net call; its sum counts rows.',
    buckets: [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64],
  },
  inference_seconds: { type: 'histogram', help: 'Duration of one U-Net call.', buckets: frameTimes },
  embedding_cache_requests_total: {
    type: 'counter',
    help: 'Prompts that were looked up in the cache of embeddings.',
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
    help: 'Bytes that were sent to clients and not yet taken by the network, over all sessions.',
  },

  gpu_memory_used_bytes: { type: 'gauge', help: 'GPU memory in use by all programs.', labels: { gpu: null } },
  gpu_memory_total_bytes: { type: 'gauge', help: 'GPU memory that there is.', labels: { gpu: null } },
  gpu_utilization_ratio: {
    type: 'gauge',
    help: 'Part of the last moment in which the GPU was at work, 0 to 1.',
    labels: { gpu: null },
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof definitions;
