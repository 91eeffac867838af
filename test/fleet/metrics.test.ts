import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { parse } from 'yaml';
import { dashboards, filled } from '../ops/dashboards.js';
import { startPrometheus } from '../ops/prometheus-server.js';
import { findProgram } from '../ops/programs.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const prometheus = findProgram('prometheus', 'PROMETHEUS');
const scaledObject = readFileSync(
  join(repositoryRoot, 'ops/kubernetes/overlays/keda/scaled-object.yaml'),
  'utf8',
);

/** Returns the query of a panel of the fleet's dashboard. */
function panelQuery(title: string): string {
  const panels = dashboards.find(({ uid }) => uid === 'millrace-fleet')?.panels ?? [];
  const [target] = panels.find((panel) => panel.title === title)?.targets ?? [];
  assert.ok(target, title);
  return filled(target.expr);
}

/** Returns the query by which KEDA scales. */
function kedaQuery(): string {
  const { spec } = parse(scaledObject) as {
    readonly spec: { readonly triggers: readonly { readonly metadata: { readonly query: string } }[] };
  };
  return spec.triggers[0]?.metadata.query ?? '';
}

describe('the metrics of a fleet, with a real Prometheus', { skip: prometheus.skip }, () => {
  it('add up over its servers: those that are ready, their free slots, and what KEDA wants', async () => {
    const start = (maxSessions: number): Promise<TestServer> =>
      startServer({ maxSessions, queueLength: 0, graceSeconds: 0 });
    await using a = await start(4);
    await using b = await start(2);
    await Promise.all([a.app.ready(), b.app.ready()]);
    const hosts = [a, b].map(({ url }) => new URL(url).host);
    await using series = await startPrometheus(prometheus, hosts, '');
    /** Waits until a query has this one value. */
    const until = async (query: string, value: number): Promise<void> => {
      for (;;) {
        const values = await series.query(query);
        if (values.length === 1 && values[0] === value) return;
        await pause(100);
      }
    };
    const free = panelQuery('Free slots');
    await until(panelQuery('Ready servers'), 2);
    await until(free, 6);
    await until(kedaQuery(), 1);
    const small = { width: 64, height: 64 };
    await using first = await StreamClient.open(a.streamUrl, small);
    await using second = await StreamClient.open(a.streamUrl, small);
    await using third = await StreamClient.open(b.streamUrl, small);
    await until(free, 3);
    // Three sessions on servers with three slots each, and one more.
    await until(kedaQuery(), 2);
    const drained = b.app.drain(60);
    await until(panelQuery('Ready servers'), 1);
    await until(panelQuery('Servers that stop'), 1);
    await until(free, 2);
    // The session of the server that stops needs a place too.
    await until(kedaQuery(), 1.75);
    await until('count(ALERTS{alertname="MillraceFleetNearlyFull", alertstate="pending"})', 1);
    await third[Symbol.asyncDispose]();
    await drained;
    for (const { socket } of [first, second]) assert.equal(socket.readyState, socket.OPEN);
  });
});
