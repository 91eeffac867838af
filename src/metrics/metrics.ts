import type { DropReason, ErrorCode, StageTimings } from '@millrace/protocol';
import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';

/** States of the engine that the gauge shows, one series each. */
const engineStates = ['starting', 'ready', 'restarting', 'failed', 'stopped'] as const;

const secondsBuckets = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5];

/**
 * Everything that the server counts and measures, as Prometheus series with the prefix `millrace_`.
 * Labels come from fixed lists of this code: nothing that a client controls becomes one.
 */
export interface Metrics {
  sessionOpened(): void;
  sessionClosed(): void;
  frameReceived(): void;
  frameDropped(reason: DropReason): void;
  /** One result was sent. `timings` in milliseconds. */
  frameGenerated(timings: StageTimings): void;
  /** A client was told of an error. */
  error(code: ErrorCode): void;
  engineState(state: (typeof engineStates)[number]): void;
  /** One U-Net call of `rows` rows took `ms` milliseconds. */
  inference(call: { readonly rows: number; readonly ms: number }): void;
  /** A prompt was looked up in the cache of embeddings. */
  embedding(lookup: { readonly hit: boolean }): void;
  /** All series in the text format of Prometheus. */
  render(): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** Creates the series in a registry of their own, so that several servers in one process stay apart. */
export function createMetrics(): Metrics {
  const registry = new Registry();
  const registers = [registry];
  collectDefaultMetrics({ register: registry, prefix: 'millrace_' });

  const sessions = new Gauge({ name: 'millrace_sessions', help: 'Open sessions.', registers });
  const received = new Counter({
    name: 'millrace_frames_received_total',
    help: 'Input frames received.',
    registers,
  });
  const generated = new Counter({
    name: 'millrace_frames_generated_total',
    help: 'Results sent.',
    registers,
  });
  const dropped = new Counter({
    name: 'millrace_frames_dropped_total',
    help: 'Input frames that got no result of their own, by reason.',
    labelNames: ['reason'],
    registers,
  });
  const stages = new Histogram({
    name: 'millrace_frame_stage_seconds',
    help: 'Time that a frame spent in one stage.',
    labelNames: ['stage'],
    buckets: secondsBuckets,
    registers,
  });
  const latency = new Histogram({
    name: 'millrace_frame_latency_seconds',
    help: 'From the arrival of a frame to the sending of its result.',
    buckets: secondsBuckets,
    registers,
  });
  const rows = new Histogram({
    name: 'millrace_inference_rows',
    help: 'Rows in one U-Net call.',
    buckets: [1, 2, 4, 8, 16, 32, 64],
    registers,
  });
  const inference = new Histogram({
    name: 'millrace_inference_seconds',
    help: 'Duration of one U-Net call.',
    buckets: secondsBuckets,
    registers,
  });
  const errors = new Counter({
    name: 'millrace_errors_total',
    help: 'Errors that clients were told of, by code.',
    labelNames: ['code'],
    registers,
  });
  const state = new Gauge({
    name: 'millrace_engine_state',
    help: '1 for the state that the inference engine is in, 0 for the others.',
    labelNames: ['state'],
    registers,
  });

  const embeddings = new Counter({
    name: 'millrace_embedding_lookups_total',
    help: 'Look-ups of prompts in the cache of embeddings.',
    labelNames: ['result'],
    registers,
  });

  return {
    sessionOpened: () => sessions.inc(),
    sessionClosed: () => sessions.dec(),
    frameReceived: () => received.inc(),
    frameDropped: (reason) => dropped.inc({ reason }),
    frameGenerated: ({ total, ...parts }) => {
      generated.inc();
      latency.observe(total / 1000);
      for (const [stage, ms] of Object.entries(parts)) stages.observe({ stage }, ms / 1000);
    },
    error: (code) => errors.inc({ code }),
    engineState: (current) => {
      for (const name of engineStates) state.set({ state: name }, name === current ? 1 : 0);
    },
    inference: (call) => {
      rows.observe(call.rows);
      inference.observe(call.ms / 1000);
    },
    embedding: ({ hit }) => embeddings.inc({ result: hit ? 'hit' : 'miss' }),
    render: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  };
}
