import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { motionJpegFrames } from '../support/frames.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { repositoryRoot } from '../support/reference.js';
import { assertKnownSeries } from './known-series.js';
import { assertKnownFlags } from './known-settings.js';
import { complaintsOf, findProgram } from './programs.js';

const folder = join(repositoryRoot, 'ops/prometheus');
const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
const recording = read('millrace-recording.yml');
const alerts = read('millrace-alerts.yml');
const unitTests = read('tests/alerts.test.yml');
const runbook = readFileSync(join(repositoryRoot, 'ops/docs/runbook.md'), 'utf8');
const names = [...alerts.matchAll(/^ *- alert: (\w+)$/gm)].map(([, name = '']) => name);
const promtool = findProgram('promtool', 'PROMTOOL');

describe('ops/prometheus', () => {
  it('has at least ten alerts, each with its own name', () => {
    assert.ok(names.length >= 10, `only ${names.length} alerts`);
    assert.equal(new Set(names).size, names.length);
  });

  it('queries only existing series', () => {
    assertKnownSeries(`${recording}\n${alerts}`);
  });

  it('links each alert to an entry of the runbook, which has no other entries', () => {
    const linked = [...alerts.matchAll(/runbook: ops\/docs\/runbook\.md#(\S+)/g)].map(([, anchor]) => anchor);
    assert.deepEqual(
      linked,
      names.map((name) => name.toLowerCase()),
    );
    const entries = [...runbook.matchAll(/^## (\w+)$/gm)].map(([, name]) => name);
    assert.deepEqual(entries, names);
  });

  it('links to existing entries within the runbook', () => {
    for (const [, anchor = ''] of runbook.matchAll(/\(#([^)]+)\)/g)) {
      assert.ok(names.map((name) => name.toLowerCase()).includes(anchor), anchor);
    }
  });

  it('names only existing flags in the runbook', () => {
    assertKnownFlags(runbook);
  });

  it('has a test for each alert in which it fires, and one in which none fires', () => {
    const [, healthy = '', ...others] = unitTests.split(/^ +- name: /m);
    assert.match(healthy, /^a healthy server\n/);
    for (const name of names) {
      assert.ok(healthy.includes(`{ alertname: ${name},`), `${name} is not checked in the healthy case`);
      const fires = new RegExp(`alertname: ${name}\\n.*\\n +exp_alerts:`);
      assert.ok(
        others.some((text) => fires.test(text)),
        `${name} fires in no test`,
      );
    }
  });

  it('is valid according to promtool', { skip: promtool.skip }, () => {
    const complaints = complaintsOf(promtool, ['check', 'config', join(folder, 'prometheus.yml')]);
    assert.equal(complaints, null);
  });

  it(
    'accepts the series of a server with a session, according to promtool',
    { skip: promtool.skip },
    async () => {
      await using server = await startServer();
      await server.app.ready();
      await using client = await StreamClient.open(server.streamUrl, { width: 64, height: 64 });
      assert.equal(
        (await client.generate(0, motionJpegFrames('walkers.mjpeg')[0] ?? new Uint8Array())).type,
        'result',
      );
      const input = await (await fetch(`${server.url}/metrics`)).text();
      assert.equal(complaintsOf(promtool, ['check', 'metrics'], { input }), null);
    },
  );

  it('fires as expected, according to promtool', { skip: promtool.skip }, () => {
    const complaints = complaintsOf(promtool, ['test', 'rules', join(folder, 'tests/alerts.test.yml')]);
    assert.equal(complaints, null);
  });
});
