import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { errors } from '@millrace/protocol';
import { definitions, type MetricDefinition } from '../../src/metrics/definitions.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { prefix } from '../../src/metrics/series.js';
import { repositoryRoot } from '../support/reference.js';

const table = Object.entries<MetricDefinition>(definitions);

describe('the definitions of the metrics', () => {
  it('match what is exported: types, help texts and buckets, and no other metrics', async () => {
    const { body } = await createMetrics().render();
    const lines = body.split('\n');
    for (const [name, { type, help, buckets }] of table) {
      assert.ok(lines.includes(`# TYPE ${prefix}${name} ${type}`), name);
      assert.ok(lines.includes(`# HELP ${prefix}${name} ${help}`), name);
      if (!buckets) continue;
      const bucket = new RegExp(`^${prefix}${name}_bucket\\{le="([^"]+)"`);
      const ends = lines.flatMap((line) => bucket.exec(line)?.[1] ?? []);
      assert.deepEqual(new Set(ends), new Set([...buckets.map(String), '+Inf']), name);
    }
    const named = new Set(table.map(([name]) => prefix + name));
    const others = lines
      .flatMap((line) => /^# TYPE (\S+)/.exec(line)?.[1] ?? [])
      .filter((name) => !named.has(name) && !/^millrace_(process|nodejs)_/.test(name));
    assert.deepEqual(others, []);
  });

  it('keep to the conventions of Prometheus', () => {
    const units = /_(seconds|bytes|ratio|info|rows|total|per_second)$/;
    for (const [name, { type, help, buckets, labels = {} }] of table) {
      assert.match(name, /^[a-z]+(_[a-z]+)*$/);
      assert.equal(name.endsWith('_total'), type === 'counter', name);
      assert.equal(buckets !== undefined, type === 'histogram', name);
      if (type === 'histogram') assert.match(name, units);
      assert.match(help, /^[A-Z0-9].*\.$/, name);
      assert.doesNotMatch(name, /(milli|_ms|_mb|_percent|_count|_sum|_bucket)/);
      for (const label of Object.keys(labels)) assert.match(label, /^[a-z]+$/);
    }
  });

  it('have rising buckets, for frames from 5 ms to 5 s', () => {
    for (const [name, { buckets }] of table) {
      if (!buckets) continue;
      assert.deepEqual(
        buckets,
        [...buckets].sort((a, b) => a - b),
        name,
      );
      if (!/^(frame_|inter_frame)/.test(name)) continue;
      const within = buckets.filter((end) => end >= 0.005 && end <= 5);
      assert.deepEqual([within[0], within.at(-1)], [0.005, 5]);
      for (const [index, end] of within.entries()) {
        assert.ok(index === 0 || end / within[index - 1] <= 2.5, `${name}: nothing near ${end}`);
      }
    }
  });

  it('have a label for each error code and each close code of the protocol', () => {
    assert.deepEqual(definitions.errors_total.labels.code, Object.keys(errors));
    const codes = definitions.session_closes_total.labels.code;
    for (const error of Object.values(errors)) {
      if ('close' in error) assert.ok(codes.includes(`${error.close}`), `${error.close}`);
    }
  });

  it('match ops/docs/metrics.md, as other code matches what is generated from it', () => {
    const script = join(repositoryRoot, 'ops/scripts/docs.mjs');
    const { status, stderr } = spawnSync(process.execPath, [script, '--check'], { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
  });
});
