import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { failureOf, renderLoad, reportLoad, type LoadReport } from '../../src/cli/bench-load/load-report.js';
import { repositoryRoot } from '../support/reference.js';
import { startServer } from '../support/server.js';
import { StreamClient } from '../support/stream-client.js';

const main = join(repositoryRoot, 'dist/src/cli/main.js');
const video = join(repositoryRoot, 'test/fixtures/videos/walkers.mjpeg');

async function benchLoad(...args: readonly string[]): Promise<string> {
  const command = [main, 'bench', 'load', '--source', video, ...args];
  return (await promisify(execFile)(process.execPath, command)).stdout;
}

describe('bench load', () => {
  it('reports the outcome of each session: served, waiting or refused', async () => {
    await using server = await startServer({ maxSessions: 2, queueLength: 1, sloFps: 0 });
    await server.app.ready();
    const args = ['--url', server.url, '--sessions', '4', '--fps', '10', '--seconds', '3', '--json'];
    const report = JSON.parse(await benchLoad(...args)) as LoadReport;
    assert.deepEqual(report.outcomes, { served: 2, waiting: 1, refused: 1, lost: 0 });
    assert.deepEqual([report.sessions, report.fps, report.seconds], [4, 10, 3]);
    assert.equal(report.each.length, 4);
    for (const { outcome, sent, displayed, fps, latency_ms: latency, wait_seconds: wait } of report.each) {
      if (outcome === 'served') {
        assert.ok(sent >= 1 && sent <= 31, `${sent}`);
        assert.ok(displayed >= 1 && displayed <= sent + 3, `${displayed}`);
        assert.ok(Math.abs(fps - displayed / 3) <= 0.3, `${fps}`);
        assert.ok(latency && latency.p50 > 0 && latency.p50 <= latency.p95 && latency.p95 <= latency.p99);
      } else {
        assert.deepEqual([sent, displayed, latency], [0, 0, null]);
      }
      if (outcome === 'waiting') assert.ok(wait > 2, `${wait}`);
    }
    assert.ok((report.slowest_fps ?? 0) > 0);
  });

  it('fails if no session was served, and says why', async () => {
    await using server = await startServer({ maxSessions: 1, queueLength: 0, sloFps: 0 });
    await server.app.ready();
    await using inside = await StreamClient.open(server.streamUrl);
    const args = ['--url', server.url, '--sessions', '2', '--seconds', '1', '--json'];
    await assert.rejects(benchLoad(...args), (error: { code: number; stdout: string; stderr: string }) => {
      assert.equal(error.code, 1);
      assert.deepEqual((JSON.parse(error.stdout) as LoadReport).outcomes.refused, 2);
      assert.match(error.stderr, /^millrace: no session was served: 2 refused \(too_many_sessions: .*\)$/m);
      return true;
    });
    assert.equal(inside.socket.readyState, inside.socket.OPEN);
  });

  it('refuses invalid options and an unreachable server with one line', async () => {
    for (const [args, message] of [
      [['--sessions', '0'], /--sessions.*from 1/],
      [['--sessions', '1.5'], /an integer/],
      [['--fps', 'many'], /--fps.*a number/],
      [['--url', 'http://127.0.0.1:1'], /could not be reached/],
    ] as const) {
      await assert.rejects(benchLoad(...args), ({ stderr }: { stderr: string }) => message.test(stderr));
    }
  });
});

describe('the report of a load', () => {
  const nothing = { seconds: 0, sent: 0, latencies: [], dropped: {} };
  const report = reportLoad(
    { url: 'http://localhost:1', sessions: 3, fps: 10, seconds: 2, width: 64, height: 64 },
    [
      {
        session: 0,
        outcome: 'served',
        code: null,
        message: null,
        waitSeconds: 0.1,
        seconds: 2,
        sent: 20,
        latencies: Array.from({ length: 20 }, (_, i) => 20 - i),
        dropped: { superseded: 2 },
      },
      {
        session: 1,
        outcome: 'served',
        code: null,
        message: null,
        waitSeconds: 0.1,
        seconds: 1,
        sent: 10,
        latencies: [100, 200, 300, 400],
        dropped: { superseded: 5, stale: 1 },
      },
      {
        session: 2,
        outcome: 'refused',
        code: 'too_many_sessions',
        message: 'It is full.',
        waitSeconds: 0,
        ...nothing,
      },
    ],
  );

  it('has quantiles, rates and drops per session and in total', () => {
    const [first, second] = report.each;
    assert.deepEqual(first?.latency_ms, { p50: 10, p95: 19, p99: 20 });
    assert.equal(first?.fps, 10);
    assert.equal(second?.fps, 4);
    assert.equal(report.slowest_fps, 4);
    assert.equal(report.total.fps, 14);
    assert.deepEqual(report.total.latency_ms, { p50: 12, p95: 300, p99: 400 });
    assert.deepEqual(report.total.dropped, { superseded: 7, stale: 1 });
    assert.deepEqual(report.outcomes, { served: 2, waiting: 0, refused: 1, lost: 0 });
  });

  it('is not a failure if at least one session was served', () => {
    assert.equal(failureOf(report), null);
  });

  it('renders as a readable table', () => {
    const text = renderLoad(report);
    assert.match(text, /^3 sessions of 10 frames a second, 64x64, for 2 s at http:\/\/localhost:1$/m);
    assert.match(text, /^2 +served +0\.1 +4\.0 +200 +400 +400 +superseded 5, stale 1$/m);
    assert.match(text, /^3 +refused \(too_many_sessions\) +0\.0 +0\.0 +- +- +-$/m);
    assert.match(text, /^2 served, 0 waiting, 1 refused, 0 lost; the slowest had 4 frames a second$/m);
  });
});
