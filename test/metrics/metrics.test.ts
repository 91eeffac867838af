import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createMetrics } from '../../src/metrics/metrics.js';

describe('createMetrics', () => {
  it('counts and measures', async () => {
    const metrics = createMetrics();
    metrics.sessionOpened();
    metrics.sessionOpened();
    metrics.sessionClosed();
    metrics.frameReceived();
    metrics.frameDropped('similar');
    metrics.error('invalid_frame');
    metrics.engineState('starting');
    metrics.engineState('ready');
    metrics.inference({ rows: 3, ms: 40 });
    metrics.embedding({ hit: true });
    metrics.frameGenerated({
      decode: 2,
      queue: 0.5,
      encode: 6,
      denoise: 20,
      vae_decode: 8,
      image_encode: 1,
      total: 40,
    });
    const { body } = await metrics.render();
    const expected = [
      'millrace_sessions 1',
      'millrace_frames_received_total 1',
      'millrace_frames_generated_total 1',
      'millrace_frames_dropped_total{reason="similar"} 1',
      'millrace_errors_total{code="invalid_frame"} 1',
      'millrace_engine_state{state="starting"} 0',
      'millrace_engine_state{state="ready"} 1',
      'millrace_inference_rows_bucket{le="2"} 0',
      'millrace_inference_rows_bucket{le="4"} 1',
      'millrace_inference_seconds_sum 0.04',
      'millrace_embedding_lookups_total{result="hit"} 1',
      'millrace_frame_latency_seconds_sum 0.04',
      'millrace_frame_stage_seconds_bucket{le="0.01",stage="denoise"} 0',
      'millrace_frame_stage_seconds_bucket{le="0.025",stage="denoise"} 1',
    ];
    const lines = body.split('\n');
    for (const line of expected) assert.ok(lines.includes(line), `${line} is missing`);
    for (const stage of ['decode', 'queue', 'encode', 'denoise', 'vae_decode', 'image_encode']) {
      assert.ok(lines.includes(`millrace_frame_stage_seconds_count{stage="${stage}"} 1`), stage);
    }
  });

  it('keeps to its prefix, and servers of one process apart', async () => {
    const [one, other] = [createMetrics(), createMetrics()];
    one.frameReceived();
    const { body } = await other.render();
    assert.match(body, /^millrace_frames_received_total 0$/m);
    const names = body.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(
      names.filter((line) => !line.startsWith('millrace_')),
      [],
    );
  });
});
