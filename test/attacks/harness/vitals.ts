import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import type { ServerProcess } from '../../support/server-process.js';
import { nextMessage } from './child.js';
import type { Lag } from './judge.js';

/** Milliseconds within which a server must return its metrics after the attack. */
const metricsTimeoutMs = 10_000;

/** The state of a server, as seen from outside and from its own metrics. */
export interface Vitals {
  /** `Date.now()` */
  readonly time: number;
  /** Peak resident memory in bytes since the process began. */
  readonly peakBytes: number;
  /** Event-loop lag in seconds since the last reading. */
  readonly lag: Lag;
  /** Errors sent to clients, by code, and closed connections, by close code. */
  readonly counts: ReadonlyMap<string, number>;
  /** CPU seconds of the server, and of all programs together. */
  readonly processor: { readonly own: number; readonly all: number };
}

/** @throws {Error} if the server is gone or does not answer. */
export async function readVitals(server: ServerProcess): Promise<Vitals> {
  const peakBytes = await peakMemory(server);
  const answers = Promise.all([server.metrics('millrace_'), readLag(server)]);
  const [metrics, lag] = await Promise.race([answers, rejectLate()]);
  const value = (name: string): number => metrics.get(`millrace_${name}`) ?? Number.NaN;
  const counts = new Map<string, number>();
  for (const [name, count] of metrics) {
    const [, kind, code = ''] =
      /^millrace_(errors_total|session_closes_total)\{code="(\w+)"\}$/.exec(name) ?? [];
    if (kind !== undefined && count > 0) counts.set(kind === 'errors_total' ? code : `close ${code}`, count);
  }
  return {
    time: Date.now(),
    peakBytes,
    lag,
    counts,
    processor: { own: value('process_cpu_seconds_total'), all: busySeconds() },
  };
}

/** Returns the part of the CPU time, 0 to 1, that other programs left to the server between two readings. */
export function processorLeft(before: Vitals, after: Vitals): number {
  const available = (cpus().length * (after.time - before.time)) / 1000;
  const all = after.processor.all - before.processor.all;
  const own = after.processor.own - before.processor.own;
  return Math.min(1, Math.max(0, 1 - (all - own) / available));
}

/** Returns the counts between two readings. */
export function countedBetween(before: Vitals, after: Vitals): Readonly<Record<string, number>> {
  const grown = [...after.counts].map(
    ([name, count]) => [name, count - (before.counts.get(name) ?? 0)] as const,
  );
  return Object.fromEntries(grown.filter(([, count]) => count > 0));
}

/** Queries the probe in the server. @throws {Error} if the server is gone. */
async function readLag({ child }: ServerProcess): Promise<Lag> {
  const answer = nextMessage(child);
  child.send('lag');
  return (await answer) as Lag;
}

/** @throws {Error} if the server is gone. */
export async function peakMemory({ child }: ServerProcess): Promise<number> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const [, kilobytes] = /^VmHWM:\s*(\d+) kB$/m.exec(status) ?? [];
  if (kilobytes === undefined) throw new Error('the server is gone');
  return Number(kilobytes) * 1024;
}

async function rejectLate(): Promise<never> {
  await new Promise((resolve) => setTimeout(resolve, metricsTimeoutMs).unref());
  throw new Error(`the server did not return its metrics within ${metricsTimeoutMs / 1000} s`);
}

function busySeconds(): number {
  const busy = cpus().map(({ times: { user, nice, sys, irq } }) => user + nice + sys + irq);
  return busy.reduce((sum, ms) => sum + ms, 0) / 1000;
}
