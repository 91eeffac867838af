import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { definitions, type MetricDefinition } from '../../src/metrics/definitions.js';
import { repositoryRoot } from '../support/reference.js';

/** Series of every Node.js process that rules, dashboards and the runbook use. */
const ofNode = [
  'nodejs_eventloop_lag_p99_seconds',
  'nodejs_gc_duration_seconds_sum',
  'nodejs_heap_size_used_bytes',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
];

/** Asserts that each series in a text is exported, or recorded by ops/prometheus. */
export function assertKnownSeries(text: string): void {
  const recording = readFileSync(join(repositoryRoot, 'ops/prometheus/millrace-recording.yml'), 'utf8');
  const recorded = [...recording.matchAll(/record: (\S+)$/gm)].map(([, name]) => name);
  const exported = Object.entries<MetricDefinition>(definitions)
    .flatMap(([name, { type }]) =>
      type === 'histogram' ? [`${name}_bucket`, `${name}_sum`, `${name}_count`] : [name],
    )
    .concat(ofNode)
    .map((name) => `millrace_${name}`);
  const known = new Set([...recorded, ...exported]);
  const named = text.match(/\b(?:instance:|millrace:)?millrace[_:][a-z0-9_:]+|\bmillrace:[a-z0-9_]+/g) ?? [];
  assert.ok(named.length > 0);
  const unknown = named.filter((name) => !known.has(name));
  assert.deepEqual([...new Set(unknown)], []);
}
