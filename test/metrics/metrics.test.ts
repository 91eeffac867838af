import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics, type Census } from '../../src/metrics/metrics.js';

const server = { version: '1.2.3', model: 'a model', slo: { fps: 10, latencySeconds: 0.5 } };
const quiet: Census = {
  sessions: { opening: 0, queued: 0, active: 0, parked: 0, closing: 0 },
  slots: 8,
  limited: 0,
  queued: 0,
  bufferedBytes: 0,
  draining: false,
};

describe('createMetrics', () => {
  it('counts and measures', async () => {
    const metrics = createMetrics();
    metrics.sessionRefused();
    metrics.error('invalid_frame');
    metrics.error('unauthorized');
    metrics.error('rate_limited');
    metrics.connectionClosed(1000);
    metrics.networkBytes('in', 5);
    metrics.networkBytes('in', 7);
    metrics.error('invalid_resume_token');
    metrics.drained(1500);
    metrics.engineReady('cuda:0,cuda:1');
    metrics.capacity(12.5);
    metrics.inference({ rows: 3, ms: 40, pictureMs: 20 });
    metrics.embedding({ hit: true });
    metrics.flagged();
    const { body } = await metrics.render();
    const lines = body.split('\n');
    const expected = [
      'millrace_sessions_total{result="refused"} 1',
      'millrace_errors_total{code="invalid_frame"} 1',
      'millrace_errors_total{code="unauthorized"} 1',
      'millrace_errors_total{code="internal"} 0',
      'millrace_auth_failures_total 1',
      'millrace_rate_limited_total 1',
      'millrace_resumes_total{result="refused"} 1',
      'millrace_drain_seconds_sum 1.5',
      'millrace_session_closes_total{code="1000"} 1',
      'millrace_network_bytes_total{direction="in"} 12',
      'millrace_network_bytes_total{direction="out"} 0',
      'millrace_capacity_rows_per_second 12.5',
      'millrace_inference_rows_bucket{le="2"} 0',
      'millrace_inference_rows_bucket{le="3"} 1',
      'millrace_inference_seconds_sum 0.04',
      'millrace_engine_busy_seconds_total 0.03',
      'millrace_embedding_cache_requests_total{result="hit"} 1',
      'millrace_embedding_cache_requests_total{result="miss"} 0',
      'millrace_engine_flagged_total 1',
    ];
    for (const line of expected) assert.ok(lines.includes(line), `${line} is missing`);
  });

  it('exports version, model, device and census as they are when read', async () => {
    let census = quiet;
    const metrics = createMetrics({ ...server, census: () => census });
    assert.match((await metrics.render()).body, /^millrace_build_info\{[^}]*device="unknown"\} 1$/m);
    metrics.engineState('ready');
    metrics.engineReady('cpu');
    metrics.capacity(3);
    const before = (await metrics.render()).body;
    assert.match(before, /^millrace_build_info\{version="1.2.3",model="a model",device="cpu"\} 1$/m);
    assert.doesNotMatch(before, /device="unknown"/);
    assert.match(before, /^millrace_session_slots 8$/m);
    assert.match(before, /^millrace_ready 1$/m);
    assert.match(before, /^millrace_draining 0$/m);
    census = {
      ...quiet,
      sessions: { opening: 1, queued: 5, active: 2, parked: 4, closing: 3 },
      queued: 5,
      bufferedBytes: 4096,
      draining: true,
    };
    const { body } = await metrics.render();
    for (const [state, count] of Object.entries(census.sessions)) {
      assert.match(body, new RegExp(`^millrace_sessions\\{state="${state}"\\} ${count}$`, 'm'));
    }
    assert.match(body, /^millrace_send_buffered_bytes 4096$/m);
    assert.match(body, /^millrace_admission_queue_length 5$/m);
    assert.match(body, /^millrace_ready 0$/m);
    assert.match(body, /^millrace_draining 1$/m);
  });

  it('exports the state of the engine, and how often it was restarted', async () => {
    const metrics = createMetrics();
    for (const state of ['starting', 'ready', 'restarting', 'ready'] as const) metrics.engineState(state);
    metrics.engineRestarted();
    metrics.notFinite('vae_decoder');
    const { body } = await metrics.render();
    assert.match(body, /^millrace_engine_restarts_total 1$/m);
    assert.match(body, /^millrace_engine_not_finite_total\{part="vae_decoder"\} 1$/m);
    assert.match(body, /^millrace_engine_state\{state="ready"\} 1$/m);
    assert.match(body, /^millrace_engine_state\{state="restarting"\} 0$/m);
  });

  it('has no label that a client can choose', async () => {
    const metrics = createMetrics();
    const labels = (body: string): readonly string[] =>
      body.split('\n').flatMap((line) => /^[^#]\S*\{[^}]*\}/.exec(line)?.[0] ?? []);
    const before = labels((await metrics.render()).body);
    for (let code = 3000; code < 5000; code++) metrics.connectionClosed(code);
    const { body } = await metrics.render();
    assert.deepEqual(
      labels(body).filter((label) => !before.includes(label) && !/^millrace_(nodejs|process)_/.test(label)),
      [],
    );
    assert.match(body, /^millrace_session_closes_total\{code="other"\} 19\d\d$/m);
  });

  it('uses its prefix only, and separates servers of one process', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.sessionRefused();
    const { body } = await other.render();
    assert.match(body, /^millrace_sessions_total\{result="refused"\} 0$/m);
    const names = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(
      names.filter((line) => !line.startsWith('millrace_')),
      [],
    );
  });
});
