import assert from 'node:assert/strict';
import { it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import type { EngineState } from '../../src/engine/engine.js';
import { createCapacity } from '../../src/session/capacity.js';
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

function capacityFor(fps: number, changes: Parameters<typeof defaultParameters>[0] = {}): number {
  const engine = new ManualEngine();
  engine.state = measured;
  return createCapacity(engine, { fps, most: 32, parameters: defaultParameters(changes) })();
}

it('as many sessions as calibration has room for: rows of the U-Net, encoding and decoding', () => {
  // One step: 25 ms a frame, 40 frames a second.
  assert.equal(capacityFor(10), 4);
  assert.equal(capacityFor(15), 2);
  // Four steps and a negative row for each: 95 ms.
  assert.equal(capacityFor(5, { defaults: { steps: 4, cfg_type: 'full' } }), 2);
  assert.equal(capacityFor(5, { defaults: { steps: 9, t_index_list: [1, 2, 3, 4], cfg_type: 'full' } }), 2);
});

it('at least one, at most what is set, and all of those where nothing is promised', () => {
  assert.equal(capacityFor(240), 1);
  assert.equal(capacityFor(0.5), 32);
  assert.equal(capacityFor(0), 32);
});

it('stays what it was while the engine is being restarted', () => {
  const engine = new ManualEngine();
  engine.state = measured;
  const capacity = createCapacity(engine, { fps: 10, most: 32, parameters: defaultParameters() });
  assert.equal(capacity(), 4);
  engine.state = { name: 'restarting', what: 'restarting' };
  assert.equal(capacity(), 4);
});
