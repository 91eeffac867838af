import {
  stageNames,
  type CurveName,
  type DelayCurve,
  type FlowCurve,
  type GpuCurve,
  type History,
  type MachineCurve,
  type Stage,
  type StateCurve,
} from '@millrace/protocol';
import { performance, type EventLoopUtilization } from 'node:perf_hooks';
import type { GpuReading } from './gpus.js';
import type { Census } from './metrics.js';
import { readMachine, type MachineReading } from './machine.js';
import { quantileBetween, type Reading } from './reading.js';
import { windowMs } from './recent.js';

/** The values of one moment, for each curve. */
type Sample = Values<CurveName>;
type Values<Name extends CurveName> = Readonly<Record<Name, number | null>>;

export interface SamplerOptions {
  readonly read: () => Promise<Reading>;
  readonly census: () => Census;
  readonly gpus: () => Promise<readonly GpuReading[]>;
  /** Reads what the processors of this machine did; for tests. */
  readonly machine?: () => MachineReading | null;
  readonly intervalMs?: number;
  /** Samples that are kept; older ones are forgotten. */
  readonly keep?: number;
  readonly now?: () => number;
  /** Called with the error if a sample fails, as when no descriptor is left; the next one may succeed. */
  readonly onError?: (error: unknown) => void;
}

const usualIntervalMs = 3000;
/** Readings that quantiles cover, so that a few frames do not cause jumps in a curve. */
const quantileReadings = windowMs / usualIntervalMs + 1;

interface Timed {
  readonly time: number;
  readonly reading: Reading;
  readonly cpuSeconds: number;
  readonly loop: EventLoopUtilization;
  readonly machine: MachineReading | null;
}

/**
 * Keeps the last minutes of the metrics (15 by default: 300 samples, one every 3 seconds), for users without
 * Prometheus. Memory is bounded.
 */
export class Sampler implements Disposable {
  readonly #options: Required<SamplerOptions>;
  readonly #samples: { readonly time: number; readonly sample: Sample }[] = [];
  readonly #readings: Timed[] = [];
  #timer: NodeJS.Timeout | null = null;

  constructor(options: SamplerOptions) {
    this.#options = {
      intervalMs: usualIntervalMs,
      keep: 300,
      now: Date.now,
      onError: () => {},
      machine: readMachine,
      ...options,
    };
  }

  /** Takes samples from now on. */
  start(): void {
    const take = (): void => void this.take().catch(this.#options.onError);
    take();
    this.#timer ??= setInterval(take, this.#options.intervalMs).unref();
  }

  /** Takes one sample; the first call only makes a beginning. */
  async take(): Promise<void> {
    const { read, census, gpus, machine, keep, now } = this.#options;
    const { user, system } = process.cpuUsage();
    const loop = performance.eventLoopUtilization();
    const latest = {
      time: now(),
      reading: await read(),
      cpuSeconds: (user + system) / 1e6,
      loop,
      machine: machine(),
    };
    const before = this.#readings.at(-1);
    const oldest = this.#readings[0];
    this.#readings.push(latest);
    if (this.#readings.length > quantileReadings) this.#readings.shift();
    if (!before || !oldest || latest.time <= before.time) return;
    const sample: Sample = {
      ...flow(before, latest),
      ...processors(before.machine, latest.machine),
      ...delays(oldest, latest),
      ...standing(census()),
      ...graphics(await gpus()),
    };
    this.#samples.push({ time: latest.time, sample });
    if (this.#samples.length > keep) this.#samples.shift();
  }

  /** Returns the samples after this time, oldest first: one array of values for each name, and one of times. */
  after(time: number): History {
    const samples = this.#samples.filter((sample) => sample.time > time);
    const names = Object.keys(samples[0]?.sample ?? {}) as readonly CurveName[];
    return {
      times: samples.map((sample) => sample.time),
      series: Object.fromEntries(
        names.map((name) => [name, samples.map(({ sample }) => rounded(sample[name]))]),
      ),
    };
  }

  [Symbol.dispose](): void {
    if (this.#timer) clearInterval(this.#timer);
  }
}

/** Three decimals are enough to draw, and keep the answers small. */
function rounded(value: number | null): number | null {
  return value === null ? null : Math.round(value * 1000) / 1000;
}

/** Returns the events per second between two readings; rare ones per minute. */
function flow(before: Timed, latest: Timed): Values<FlowCurve> {
  const [a, b] = [before.reading, latest.reading];
  const seconds = (latest.time - before.time) / 1000;
  const each = (from: number, to: number): number => (to - from) / seconds;
  const calls = b.rows.count - a.rows.count;
  return {
    received: each(a.received, b.received),
    generated: each(a.generated, b.generated),
    sent: each(a.sent, b.sent),
    lost: each(a.lost, b.lost),
    skipped: each(a.skipped, b.skipped),
    superseded: each(a.superseded, b.superseded),
    bytes_in: each(a.bytesIn, b.bytesIn),
    bytes_out: each(a.bytesOut, b.bytesOut),
    rows: each(a.rows.sum, b.rows.sum),
    // Share of the time, 0 to 1.
    engine_busy: each(a.busySeconds, b.busySeconds),
    rows_per_call: calls > 0 ? (b.rows.sum - a.rows.sum) / calls : null,
    errors_per_minute: 60 * each(a.errors, b.errors),
    refused_per_minute: 60 * each(a.refused, b.refused),
    unauthorized_per_minute: 60 * each(a.unauthorized, b.unauthorized),
    rate_limited_per_minute: 60 * each(a.rateLimited, b.rateLimited),
    opened_per_minute: 60 * each(a.opened, b.opened),
    resumed_per_minute: 60 * each(a.resumed, b.resumed),
    closed_per_minute: 60 * each(a.closed, b.closed),
    updates_per_minute: 60 * each(a.updates, b.updates),
    restarts_per_minute: 60 * each(a.restarts, b.restarts),
    processor: each(before.cpuSeconds, latest.cpuSeconds),
    // Share of the time in which the main thread was busy, 0 to 1.
    main_thread: performance.eventLoopUtilization(latest.loop, before.loop).utilization,
  };
}

/** Returns what all programs together did, and what the host of a virtual machine took; nulls where it is unknown. */
function processors(before: MachineReading | null, latest: MachineReading | null): Values<MachineCurve> {
  const total = before && latest ? latest.total - before.total : 0;
  if (!before || !latest || total <= 0) return { machine_busy: null, machine_steal: null };
  const steal = latest.steal - before.steal;
  const idle = latest.idle - before.idle;
  return { machine_busy: (total - idle - steal) / total, machine_steal: steal / total };
}

/** Returns the delays of frames between two readings, in milliseconds. */
function delays({ reading: a }: Timed, { reading: b }: Timed): Values<DelayCurve> {
  const ms = (seconds: number | null): number | null => (seconds === null ? null : seconds * 1000);
  const means = stageNames.map((stage) => {
    const [from, to] = [a.stages[stage], b.stages[stage]];
    const count = to.count - from.count;
    return [`stage_${stage}` as const, count > 0 ? ms((to.sum - from.sum) / count) : null] as const;
  });
  return {
    latency_p50: ms(quantileBetween(a.latency, b.latency, 0.5)),
    latency_p95: ms(quantileBetween(a.latency, b.latency, 0.95)),
    staleness_p95: ms(quantileBetween(a.staleness, b.staleness, 0.95)),
    ...(Object.fromEntries(means) as Values<`stage_${Stage}`>),
  };
}

/** Returns the current state. */
function standing({ sessions, slots, limited, queued, bufferedBytes }: Census): Values<StateCurve> {
  const { active, parked } = sessions;
  const { rss } = process.memoryUsage();
  return { active, parked, limited, queued, slots, buffered: bufferedBytes, memory: rss };
}

/** Combines all GPUs; nulls if there are none. */
function graphics(gpus: readonly GpuReading[]): Values<GpuCurve> {
  const sum = (values: readonly number[]): number | null =>
    values.length > 0 ? values.reduce((all, value) => all + value, 0) : null;
  const busy = gpus.flatMap(({ utilization }) => utilization ?? []);
  return {
    gpu_utilization: sum(busy.map((part) => part / busy.length)),
    gpu_memory_used: sum(gpus.map(({ usedBytes }) => usedBytes)),
    gpu_memory_total: sum(gpus.map(({ totalBytes }) => totalBytes)),
  };
}
