import { stageNames, type Stage } from '@millrace/protocol';
import type { Counter, Histogram } from 'prom-client';
import type { Series } from './series.js';

/** A histogram since the start: the count of values up to each upper bound, in ascending order. */
export interface Distribution {
  readonly buckets: readonly { readonly end: number; readonly count: number }[];
  readonly sum: number;
  readonly count: number;
}

/** Counts and measurements since the start, from which callers form differences. */
export interface Reading {
  readonly received: number;
  readonly generated: number;
  readonly sent: number;
  /** Frames without a result, except those that were skipped or superseded. */
  readonly lost: number;
  /** Frames that the similarity filter skipped. */
  readonly skipped: number;
  /** Frames that newer ones replaced. */
  readonly superseded: number;
  readonly errors: number;
  readonly refused: number;
  readonly unauthorized: number;
  readonly rateLimited: number;
  readonly opened: number;
  readonly resumed: number;
  readonly closed: number;
  readonly updates: number;
  /** Times that the engine failed and was restarted. */
  readonly restarts: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly latency: Distribution;
  readonly staleness: Distribution;
  readonly rows: Distribution;
  /** Seconds that the engine was busy. */
  readonly busySeconds: number;
  readonly stages: Readonly<Record<Stage, Distribution>>;
}

/** Reads the series that a dashboard shows. Unlike a scrape it resets nothing. */
export async function readSeries(series: Series): Promise<Reading> {
  const { frames_dropped_total: dropped, sessions_total: sessions, network_bytes_total: bytes } = series;
  const skipped = await total(dropped, { reason: 'similar' });
  const superseded = await total(dropped, { reason: 'superseded' });
  const measured = await Promise.all(
    stageNames.map(
      async (stage) => [stage, await distribution(series.frame_stage_seconds, { stage })] as const,
    ),
  );
  return {
    received: await total(series.frames_received_total),
    generated: await total(series.frames_generated_total),
    sent: await total(series.frames_sent_total),
    lost: (await total(dropped)) - skipped - superseded,
    skipped,
    superseded,
    errors: await total(series.errors_total),
    refused: await total(sessions, { result: 'refused' }),
    unauthorized: await total(series.auth_failures_total),
    rateLimited: await total(series.rate_limited_total),
    opened: await total(sessions, { result: 'opened' }),
    resumed: await total(sessions, { result: 'resumed' }),
    closed: await total(series.session_closes_total),
    updates: await total(series.parameter_updates_total),
    restarts: await total(series.engine_restarts_total),
    bytesIn: await total(bytes, { direction: 'in' }),
    bytesOut: await total(bytes, { direction: 'out' }),
    latency: await distribution(series.frame_latency_seconds),
    staleness: await distribution(series.frame_staleness_seconds),
    rows: await distribution(series.inference_rows),
    busySeconds: await total(series.engine_busy_seconds_total),
    stages: Object.fromEntries(measured) as Record<Stage, Distribution>,
  };
}

type Labels = Readonly<Record<string, string | number | undefined>>;

function matches(labels: Labels, wanted: Labels): boolean {
  return Object.entries(wanted).every(([name, value]) => labels[name] === value);
}

async function total<Name extends string>(counter: Counter<Name>, wanted: Labels = {}): Promise<number> {
  const { values } = await counter.get();
  return values
    .filter(({ labels }) => matches(labels as Labels, wanted))
    .reduce((sum, { value }) => sum + value, 0);
}

async function distribution<Name extends string>(
  histogram: Histogram<Name>,
  wanted: Labels = {},
): Promise<Distribution> {
  const { values } = await histogram.get();
  const own = values.filter(({ labels }) => matches(labels as Labels, wanted));
  const valueOf = (suffix: string): number =>
    own.find(({ metricName }) => metricName?.endsWith(suffix) === true)?.value ?? 0;
  const buckets = own.flatMap(({ labels, value }) => {
    const { le } = labels as Labels;
    return le === undefined ? [] : [{ end: le === '+Inf' ? Infinity : Number(le), count: value }];
  });
  return { buckets, sum: valueOf('_sum'), count: valueOf('_count') };
}

/**
 * Estimates a quantile of the values between two readings, as `histogram_quantile` of Prometheus does.
 * @param part 0 to 1.
 * @returns null if there are none.
 */
export function quantileBetween(before: Distribution, now: Distribution, part: number): number | null {
  const counts = now.buckets.map(({ count }, i) => count - (before.buckets[i]?.count ?? 0));
  const wanted = part * (now.count - before.count);
  if (wanted <= 0) return null;
  const index = counts.findIndex((count) => count >= wanted);
  const end = now.buckets[index]?.end ?? Infinity;
  const start = now.buckets[index - 1]?.end ?? 0;
  if (end === Infinity) return start;
  const below = counts[index - 1] ?? 0;
  return start + ((end - start) * (wanted - below)) / ((counts[index] ?? 0) - below);
}
