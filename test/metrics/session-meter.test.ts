import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Registry } from 'prom-client';
import { SessionMeter } from '../../src/metrics/session-meter.js';
import { createSeries } from '../../src/metrics/series.js';

const timings = { decode: 2, queue: 0.5, encode: 6, denoise: 20, vae_decode: 8, image_encode: 1, total: 40 };

/** Returns a meter with a clock that the test controls. */
function createMeter(): {
  readonly meter: SessionMeter;
  readonly clock: { now: number };
  readonly lines: () => Promise<readonly string[]>;
} {
  const registry = new Registry();
  const clock = { now: 1000 };
  const meter = new SessionMeter(createSeries(registry), () => clock.now);
  return { meter, clock, lines: async () => (await registry.metrics()).split('\n') };
}

async function assertLines(
  lines: () => Promise<readonly string[]>,
  expected: readonly string[],
): Promise<void> {
  const found = await lines();
  for (const line of expected) assert.ok(found.includes(line), `${line} is missing`);
}

describe('SessionMeter', () => {
  it('measures a frame from arrival to result', async () => {
    const { meter, clock, lines } = createMeter();
    meter.opened({ resumed: false });
    meter.frameReceived();
    clock.now += 500;
    meter.frameGenerated();
    meter.frameSent(1, timings);
    await assertLines(lines, [
      'millrace_sessions_total{result="opened"} 1',
      'millrace_frames_received_total 1',
      'millrace_frames_generated_total 1',
      'millrace_frames_sent_total 1',
      'millrace_frame_latency_seconds_sum 0.04',
      'millrace_frame_stage_seconds_bucket{le="0.01",stage="denoise"} 0',
      'millrace_frame_stage_seconds_bucket{le="0.02",stage="denoise"} 1',
      'millrace_frame_stage_seconds_count{stage="vae_decode"} 1',
      'millrace_time_to_first_frame_seconds_sum 0.5',
      'millrace_inter_frame_seconds_count 0',
      'millrace_frame_staleness_seconds_count 0',
    ]);
  });

  it('measures the time between results, and until each one is acknowledged', async () => {
    const { meter, clock, lines } = createMeter();
    meter.frameSent(1, timings);
    clock.now += 100;
    meter.frameSent(2, timings);
    clock.now += 60;
    meter.acknowledged(1);
    meter.acknowledged(1);
    await assertLines(lines, [
      'millrace_time_to_first_frame_seconds_count 1',
      'millrace_inter_frame_seconds_count 1',
      'millrace_inter_frame_seconds_sum 0.1',
      // The frame arrived 40 ms before its result was sent.
      'millrace_frame_staleness_seconds_count 1',
      'millrace_frame_staleness_seconds_sum 0.2',
    ]);
    meter.acknowledged(2);
    await assertLines(lines, ['millrace_frame_staleness_seconds_count 2']);
  });

  it('counts drops by reason, and skips of the similarity filter', async () => {
    const { meter, lines } = createMeter();
    meter.frameDropped('similar');
    meter.frameDropped('superseded');
    await assertLines(lines, [
      'millrace_frames_dropped_total{reason="similar"} 1',
      'millrace_frames_dropped_total{reason="superseded"} 1',
      'millrace_frames_dropped_total{reason="stale"} 0',
      'millrace_similarity_skips_total 1',
    ]);
  });

  it('returns its totals at the end, which is counted once', async () => {
    const { meter, clock, lines } = createMeter();
    meter.opened({ resumed: false });
    meter.updated();
    for (const sequence of [1, 2]) {
      meter.frameReceived();
      meter.frameSent(sequence, timings);
    }
    meter.frameReceived();
    meter.frameDropped('stale');
    clock.now += 12_000;
    const totals = {
      opened: true,
      seconds: 12,
      frames_received: 3,
      frames_sent: 2,
      frames_dropped: 1,
      updates: 1,
    };
    assert.deepEqual(meter.ended(), totals);
    assert.deepEqual(meter.ended(), totals);
    await assertLines(lines, [
      'millrace_session_duration_seconds_count 1',
      'millrace_session_duration_seconds_sum 12',
      'millrace_parameter_updates_total 1',
      'millrace_sessions_total{result="failed"} 0',
    ]);
  });

  it('counts resumed and new sessions apart, and measures their wait', async () => {
    const { meter, lines } = createMeter();
    meter.admitted(250);
    meter.opened({ resumed: true });
    await assertLines(lines, [
      'millrace_sessions_total{result="opened"} 0',
      'millrace_sessions_total{result="resumed"} 1',
      'millrace_resumes_total{result="resumed"} 1',
      'millrace_admission_wait_seconds_bucket{le="0.1"} 0',
      'millrace_admission_wait_seconds_bucket{le="0.25"} 1',
    ]);
  });

  it('counts a session that was never opened as failed', async () => {
    const { meter, lines } = createMeter();
    meter.ended();
    await assertLines(lines, [
      'millrace_sessions_total{result="opened"} 0',
      'millrace_sessions_total{result="failed"} 1',
      'millrace_session_duration_seconds_count 0',
    ]);
  });
});
