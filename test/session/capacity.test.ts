import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters, type StreamParameters } from '@millrace/protocol';
import type { EngineState } from '../../src/engine/engine.js';
import { Capacity } from '../../src/session/capacity.js';
import { ManualEngine } from './manual-engine.js';

/** Calls of 4 rows are the best: 10 ms a row; a picture takes 15 ms besides. */
const measured: EngineState = {
  name: 'ready',
  device: 'cpu',
  model: { name: 'manual', sizeFactor: 8, defaults: {} },
  costs: [
    { rows: 1, ms: 20 },
    { rows: 2, ms: 30 },
    { rows: 4, ms: 40 },
    { rows: 8, ms: 100 },
  ],
  rowBudget: 4,
  pictureMs: 15,
};

function capacityOf(
  fps: number,
  changes: Partial<StreamParameters> = {},
  present: readonly Partial<StreamParameters>[] = [],
): { readonly capacity: Capacity; readonly engine: ManualEngine } {
  const engine = new ManualEngine();
  engine.state = measured;
  const parameters = { ...defaultParameters(), ...changes };
  const there = (): StreamParameters[] => present.map((own) => ({ ...parameters, ...own }));
  return { engine, capacity: new Capacity(engine, { fps, most: 32, parameters, present: there }) };
}

const slots = (...args: Parameters<typeof capacityOf>): number => capacityOf(...args).capacity.slots;
const oneStep = { t_index_list: [32] };
const fullGuidance = { cfg_type: 'full', guidance_scale: 2 } as const;

/** Seconds of calls that take so many times what they should. */
function work(capacity: Capacity, seconds: number, times: number): number {
  let changes = 0;
  for (let call = 0; call < seconds * 20; call++) {
    if (capacity.observe({ rows: 4, streams: 2, ms: 40 * times, pictureMs: 10 * times, expectedMs: 50 }))
      changes += 1;
  }
  return changes;
}

describe('capacity by calibration', () => {
  it('is as many sessions as there is time for: rows of the U-Net, encoding and decoding', () => {
    // One step: 25 ms a frame, 40 frames a second.
    assert.equal(slots(10, oneStep), 4);
    assert.equal(slots(15, oneStep), 2);
    // Four steps and a negative row for each: 95 ms.
    assert.equal(slots(5, { t_index_list: [1, 2, 3, 4], ...fullGuidance }), 2);
    // Without guidance there is no negative row, and with one-time guidance there is one: 55 and 65 ms.
    assert.equal(slots(6, { t_index_list: [1, 2, 3, 4], ...fullGuidance, guidance_scale: 1 }), 3);
    assert.equal(slots(6, { t_index_list: [1, 2, 3, 4], cfg_type: 'initialize', guidance_scale: 2 }), 2);
  });

  it('is at least one, at most what is set, and all of those where nothing is promised', () => {
    assert.equal(slots(240, oneStep), 1);
    assert.equal(slots(0.5, oneStep), 32);
    assert.equal(slots(0, oneStep), 32);
  });

  it('counts what each session that is there asks for', () => {
    assert.equal(slots(10, oneStep, [{}, {}]), 4);
    // 4 rows: 55 ms instead of 25, which leaves 45.
    assert.equal(slots(10, oneStep, [{ t_index_list: [1, 2, 3, 4] }]), 2);
    // Four times the area, four times the time: all of it.
    const { width, height } = defaultParameters();
    const large = { width: 2 * width, height: 2 * height };
    assert.equal(slots(10, oneStep, [large]), 1);
    // Nobody is sent away.
    assert.equal(slots(10, oneStep, [large, large]), 2);
  });

  it('stays what it was while the engine is being restarted', () => {
    const { engine, capacity } = capacityOf(10, oneStep);
    assert.equal(capacity.slots, 4);
    engine.state = { name: 'restarting', what: 'restarting' };
    assert.equal(capacity.slots, 4);
    assert.equal(capacity.rowsPerSecond, 100);
  });
});

describe('capacity under load', () => {
  it('stays as calibrated while calls take what they should, or nearly', () => {
    const { capacity } = capacityOf(10, oneStep);
    assert.equal(work(capacity, 120, 1.09), 0);
    assert.equal(capacity.rowsPerSecond, 100);
  });

  it('goes down where the engine is slower than it was alone, and up again', () => {
    const { capacity } = capacityOf(10, oneStep);
    work(capacity, 120, 2);
    assert.ok(capacity.rowsPerSecond < 57 && capacity.rowsPerSecond >= 50, `${capacity.rowsPerSecond}`);
    assert.equal(capacity.slots, 2);
    work(capacity, 120, 1);
    assert.ok(capacity.rowsPerSecond > 90, `${capacity.rowsPerSecond}`);
    assert.equal(capacity.slots, 3);
  });

  it('does not go by one slow call, nor back and forth with ones that vary', () => {
    const { capacity } = capacityOf(10, oneStep);
    capacity.observe({ rows: 4, streams: 2, ms: 60_000, pictureMs: 10, expectedMs: 50 });
    assert.equal(capacity.rowsPerSecond, 100);
    let changes = 0;
    for (let turn = 0; turn < 60; turn++) changes += work(capacity, 2, turn % 2 === 0 ? 1.5 : 1.1);
    // Down to about 1 / 1.3 in a few steps, and there it stays.
    assert.ok(changes <= 3, `${changes}`);
  });

  it('believes no measurement that cannot be', () => {
    const { capacity } = capacityOf(10, oneStep);
    work(capacity, 300, 100);
    assert.ok(capacity.rowsPerSecond >= 25 && capacity.rowsPerSecond < 28, `${capacity.rowsPerSecond}`);
    work(capacity, 900, 0.01);
    assert.ok(capacity.rowsPerSecond > 110 && capacity.rowsPerSecond <= 125, `${capacity.rowsPerSecond}`);
  });
});
