import assert from 'node:assert/strict';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { motionJpegFrames } from '../support/frames.js';
import { startServer, type TestServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';
import { dashboards, filled } from './dashboards.js';
import { startPrometheus, type PrometheusServer } from './prometheus-server.js';
import { findProgram } from './programs.js';

const program = findProgram('prometheus', 'PROMETHEUS');
const frames = motionJpegFrames('walkers.mjpeg');
const metricsToken = 'for-prometheus-alone';
const small = { width: 64, height: 64, prompt: 'a fox' };

/** Acts as a user who sends a video, until `signal` aborts. */
async function watchVideo(url: string, signal: AbortSignal): Promise<void> {
  await using client = await StreamClient.open(url, small);
  for (let id = 0; !signal.aborted; id++) {
    await client.generate(id, frames[id % frames.length]);
    await pause(50);
  }
}

describe('the dashboards, with a real Prometheus and a server under load', { skip: program.skip }, () => {
  let folder: string;
  let server: TestServer;
  let prometheus: PrometheusServer;
  const stop = new AbortController();
  let load: Promise<unknown> = Promise.resolve();
  const path = process.env['PATH'];

  before(async () => {
    // Stands for the driver's program, so that the GPU panels have data without a GPU.
    folder = await mkdtemp(join(tmpdir(), 'millrace-driver-'));
    await writeFile(join(folder, 'nvidia-smi'), '#!/bin/sh\necho 0, 1234, 81559, 87\n');
    await chmod(join(folder, 'nvidia-smi'), 0o755);
    process.env['PATH'] = `${folder}${delimiter}${path}`;

    server = await startServer({ metricsToken });
    await server.app.ready();
    prometheus = await startPrometheus(program, [new URL(server.url).host], metricsToken);
    // Events before the first scrape do not count as an increase.
    await untilData('millrace_ready');
    await using visitor = await StreamClient.open(server.streamUrl, small);
    await visitor.generate(0, frames[0]);
    load = Promise.all([1, 2].map(() => watchVideo(server.streamUrl, stop.signal)));
  });

  after(async () => {
    stop.abort();
    await load;
    await prometheus[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    process.env['PATH'] = path;
    await rm(folder, { recursive: true });
  });

  /** Queries again until there is data: rates need two scrapes, and rules a little longer. */
  async function untilData(expression: string): Promise<readonly number[]> {
    for (let tries = 0; ; tries++) {
      const values = await prometheus.query(expression);
      if (values.some(Number.isFinite) || tries === 60) return values;
      await pause(500);
    }
  }

  for (const { title, panels } of dashboards) {
    it(`${title}: each panel has data`, async () => {
      for (const panel of panels) {
        for (const { expr, refId } of panel.targets) {
          const values = await untilData(filled(expr));
          assert.ok(values.some(Number.isFinite), `${panel.title} ${refId}: ${expr} has no data`);
        }
      }
    });
  }

  it('shows two users who get frames from a ready server', async () => {
    const of = async (expression: string): Promise<number | undefined> => (await untilData(expression))[0];
    assert.equal(await of('millrace_ready'), 1);
    assert.equal(await of('millrace_sessions{state="active"}'), 2);
    assert.ok(((await of('instance:millrace_frames_sent:rate1m')) ?? 0) > 0);
    assert.equal(await of('millrace_gpu_utilization_ratio'), 0.87);
  });

  it('fires no alert', async () => {
    assert.deepEqual(await prometheus.query('ALERTS{alertstate="firing"}'), []);
  });
});
