import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { parseMachine } from '../../src/metrics/machine.js';
import { createMetrics } from '../../src/metrics/metrics.js';
import { Sampler } from '../../src/metrics/sampler.js';

const text = `cpu  100 5 45 800 20 3 7 20 50 0
cpu0 50 5 20 400 10 1 4 10 25 0
intr 12345
`;

describe('the load of the machine', () => {
  it('is the sum of all processors, in which guests count once', () => {
    assert.deepEqual(parseMachine(text), { total: 1000, idle: 820, steal: 20 });
  });

  it('is unknown if the system does not tell', () => {
    for (const other of ['', 'cpu', 'cpu  1 2 3', 'cpu  a b c d', 'intr 1']) {
      assert.equal(parseMachine(other), null, other);
    }
  });

  it('becomes curves of what is busy, and of what the host took', async () => {
    const readings = [{ total: 1000, idle: 500, steal: 0 }, { total: 1200, idle: 550, steal: 40 }, null];
    let time = 0;
    const sampler = new Sampler({
      read: () => createMetrics().read(),
      census: () => ({
        sessions: { opening: 0, queued: 0, active: 0, parked: 0, closing: 0 },
        slots: 1,
        limited: 0,
        queued: 0,
        bufferedBytes: 0,
        draining: false,
      }),
      gpus: () => Promise.resolve([]),
      machine: () => readings.shift() ?? null,
      now: () => (time += 1000),
    });
    for (let sample = 0; sample < 3; sample++) await sampler.take();
    const { series } = sampler.after(0);
    assert.deepEqual(series['machine_busy'], [0.55, null]);
    assert.deepEqual(series['machine_steal'], [0.2, null]);
  });
});
