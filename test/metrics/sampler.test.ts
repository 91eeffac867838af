import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { GpuReading } from '../../src/metrics/gpus.js';
import { createMetrics, type Census, type Metrics } from '../../src/metrics/metrics.js';
import { Sampler } from '../../src/metrics/sampler.js';

const census: Census = {
  sessions: { opening: 0, queued: 1, active: 2, parked: 0, closing: 0 },
  slots: 4,
  limited: 1,
  queued: 1,
  bufferedBytes: 0,
  draining: false,
};
const timings = { decode: 2, queue: 1, encode: 6, denoise: 20, vae_decode: 8, image_encode: 3, total: 40 };

function createSampler(
  keep = 300,
  gpus: readonly GpuReading[] = [],
): {
  readonly metrics: Metrics;
  readonly sampler: Sampler;
  readonly clock: { now: number };
} {
  const metrics = createMetrics();
  const clock = { now: 1_000_000 };
  const sampler = new Sampler({
    read: () => metrics.read(),
    census: () => census,
    gpus: () => Promise.resolve(gpus),
    keep,
    now: () => clock.now,
  });
  return { metrics, sampler, clock };
}

describe('Sampler', () => {
  it('reports a sample that cannot be taken, and continues', async () => {
    const fault = new Error('EMFILE: too many open files');
    let errors = 0;
    let resolveTwice: (() => void) | undefined;
    const reportedTwice = new Promise<void>((resolve) => (resolveTwice = resolve));
    using sampler = new Sampler({
      read: () => Promise.reject(fault),
      census: () => census,
      gpus: () => Promise.resolve([]),
      intervalMs: 1,
      onError(error) {
        assert.equal(error, fault);
        if (++errors === 2) resolveTwice?.();
      },
    });
    const alive = setInterval(() => {}, 1000);
    sampler.start();
    await reportedTwice;
    clearInterval(alive);
  });

  it('returns rates per second between two samples', async () => {
    const { metrics, sampler, clock } = createSampler();
    const meter = metrics.beginSession();
    meter.frameReceived();
    await sampler.take();
    for (let frame = 1; frame <= 6; frame++) {
      meter.frameReceived();
      meter.frameSent(frame, timings);
    }
    meter.frameDropped('stale');
    meter.frameDropped('similar');
    meter.frameDropped('superseded');
    metrics.error('rate_limited');
    metrics.engineRestarted();
    metrics.networkBytes('in', 3000);
    for (const rows of [2, 4]) metrics.inference({ rows, ms: 300, pictureMs: 200 });
    clock.now += 2000;
    await sampler.take();
    const { times, series } = sampler.after(0);
    assert.deepEqual(times, [1_002_000]);
    const expected = {
      received: 3,
      sent: 3,
      lost: 0.5,
      skipped: 0.5,
      superseded: 0.5,
      errors_per_minute: 30,
      rate_limited_per_minute: 30,
      restarts_per_minute: 30,
      bytes_in: 1500,
      rows: 3,
      rows_per_call: 3,
      engine_busy: 0.5,
      stage_denoise: 20,
      active: 2,
      queued: 1,
      slots: 4,
      limited: 1,
      gpu_utilization: null,
      gpu_memory_used: null,
    };
    for (const [name, value] of Object.entries(expected))
      assert.deepEqual(series[name as keyof typeof series], [value], name);
    const [p50] = series['latency_p50'] ?? [];
    // All are in the bucket from 35 to 50 ms.
    assert.ok(p50 !== undefined && p50 !== null && p50 > 35 && p50 < 50);
    assert.deepEqual(series['staleness_p95'], [null]);
  });

  it('keeps a limited number of samples, the newest', async () => {
    const { sampler, clock } = createSampler(5);
    for (let look = 0; look < 20; look++) {
      await sampler.take();
      clock.now += 1000;
    }
    const { times, series } = sampler.after(0);
    assert.deepEqual(times, [1_015_000, 1_016_000, 1_017_000, 1_018_000, 1_019_000]);
    assert.equal(series['received']?.length, 5);
    assert.deepEqual(sampler.after(1_018_000).times, [1_019_000]);
  });

  it('combines all GPUs', async () => {
    const { sampler, clock } = createSampler(5, [
      { gpu: '0', usedBytes: 3e9, totalBytes: 8e9, utilization: 0.5 },
      { gpu: '1', usedBytes: 1e9, totalBytes: 8e9, utilization: 1 },
      { gpu: '2', usedBytes: 1e9, totalBytes: 8e9, utilization: null },
    ]);
    await sampler.take();
    clock.now += 1000;
    await sampler.take();
    const { series } = sampler.after(0);
    assert.deepEqual(series['gpu_utilization'], [0.75]);
    assert.deepEqual(series['gpu_memory_used'], [5e9]);
    assert.deepEqual(series['gpu_memory_total'], [24e9]);
  });

  it('does not affect what Prometheus reads', async () => {
    const { metrics, sampler, clock } = createSampler();
    metrics.beginSession().frameReceived();
    await sampler.take();
    clock.now += 1000;
    await sampler.take();
    assert.match((await metrics.render()).body, /^millrace_frames_received_total 1$/m);
  });
});
