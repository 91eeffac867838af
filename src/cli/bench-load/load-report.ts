import { percentile } from '../percentile.js';
import type { Outcome, SessionResult } from './load-plan.js';

/** A load and its results. Keys are those of the printed JSON. */
export interface LoadReport {
  readonly url: string;
  readonly sessions: number;
  readonly fps: number;
  readonly seconds: number;
  readonly width: number;
  readonly height: number;
  readonly outcomes: Readonly<Record<Outcome, number>>;
  /** Of all sessions together. */
  readonly total: Figures;
  /** Frames a second of the slowest served session; null if none was served. */
  readonly slowest_fps: number | null;
  readonly each: readonly (Figures & {
    readonly session: number;
    readonly outcome: Outcome;
    readonly code: string | null;
    /** The code in words. */
    readonly message: string | null;
    readonly wait_seconds: number;
  })[];
}

interface Figures {
  /** Results displayed in a second. */
  readonly fps: number;
  readonly sent: number;
  readonly displayed: number;
  /** Milliseconds from capture to display; null without a result. */
  readonly latency_ms: { readonly p50: number; readonly p95: number; readonly p99: number } | null;
  /** Frames without a result, by reason. */
  readonly dropped: Readonly<Record<string, number>>;
}

export type LoadFacts = Pick<LoadReport, 'url' | 'sessions' | 'fps' | 'seconds' | 'width' | 'height'>;

export function reportLoad(facts: LoadFacts, results: readonly SessionResult[]): LoadReport {
  const outcomes: Record<Outcome, number> = { served: 0, waiting: 0, refused: 0, lost: 0 };
  for (const { outcome } of results) outcomes[outcome] += 1;
  const each = results.map((result) => ({
    session: result.session,
    outcome: result.outcome,
    code: result.code,
    message: result.message,
    wait_seconds: round(result.waitSeconds),
    ...figuresOf([result]),
  }));
  const served = each.filter(({ outcome }) => outcome === 'served');
  return {
    ...facts,
    outcomes,
    total: figuresOf(results),
    slowest_fps: served.length > 0 ? Math.min(...served.map(({ fps }) => fps)) : null,
    each,
  };
}

function figuresOf(results: readonly SessionResult[]): Figures {
  const latencies = results.flatMap((result) => result.latencies).sort((a, b) => a - b);
  const dropped: Record<string, number> = {};
  for (const result of results) {
    for (const [reason, count] of Object.entries(result.dropped)) {
      dropped[reason] = (dropped[reason] ?? 0) + count;
    }
  }
  const rates = results.map(({ latencies: own, seconds }) => (seconds > 0 ? own.length / seconds : 0));
  const at = (share: number): number => round(percentile(latencies, share));
  return {
    fps: round(rates.reduce((sum, rate) => sum + rate, 0)),
    sent: results.reduce((sum, { sent }) => sum + sent, 0),
    displayed: latencies.length,
    latency_ms: latencies.length > 0 ? { p50: at(0.5), p95: at(0.95), p99: at(0.99) } : null,
    dropped,
  };
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}

/** Explains how the sessions of a load ended if none was served; returns null if one was. */
export function failureOf({ each, outcomes }: LoadReport): string | null {
  if (outcomes.served > 0) return null;
  const ends = new Map<string, number>();
  for (const { outcome, code, message } of each) {
    const end = code === null ? outcome : `${outcome} (${code}: ${message})`;
    ends.set(end, (ends.get(end) ?? 0) + 1);
  }
  return `no session was served: ${[...ends].map(([end, count]) => `${count} ${end}`).join(', ')}`;
}

/** Returns the report as text. */
export function renderLoad({ each, total, outcomes, slowest_fps: slowest, ...facts }: LoadReport): string {
  const { url, sessions, fps, seconds, width, height } = facts;
  const rows = [
    ['session', 'outcome', 'wait s', 'fps', 'p50 ms', 'p95 ms', 'p99 ms', 'dropped'],
    ...each.map(({ session, outcome, code, wait_seconds: wait, ...figures }) => [
      `${session + 1}`,
      code === null ? outcome : `${outcome} (${code})`,
      wait.toFixed(1),
      ...cellsOf(figures),
    ]),
    ['all', '', '', ...cellsOf(total)],
  ];
  const widths = rows[0]?.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0))) ?? [];
  const lines = rows.map((row) =>
    row
      .map((cell, column) => pad(cell, widths[column] ?? 0, column > 1 && column < 7))
      .join('  ')
      .trimEnd(),
  );
  const ends = Object.entries(outcomes).map(([outcome, count]) => `${count} ${outcome}`);
  return [
    `${sessions} sessions of ${fps} frames a second, ${width}x${height}, for ${seconds} s at ${url}`,
    ...lines,
    `${ends.join(', ')}${slowest === null ? '' : `; the slowest had ${slowest} frames a second`}`,
    '',
  ].join('\n');
}

function cellsOf({ fps, latency_ms: latency, dropped }: Figures): string[] {
  const times = latency === null ? ['-', '-', '-'] : [latency.p50, latency.p95, latency.p99].map(String);
  const drops = Object.entries(dropped).map(([reason, count]) => `${reason} ${count}`);
  return [fps.toFixed(1), ...times, drops.join(', ')];
}

function pad(cell: string, width: number, right: boolean): string {
  return right ? cell.padStart(width) : cell.padEnd(width);
}
