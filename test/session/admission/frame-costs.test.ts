import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { defaultParameters } from '@millrace/protocol';
import { Capacity } from '../../../src/session/admission/capacity.js';

describe('what a frame costs, as reported to clients', () => {
  it('is unknown before calibration, and then by the default size', () => {
    const parameters = { ...defaultParameters(), width: 256, height: 128 };
    const capacity = new Capacity({
      slo: { fps: 10, latencySeconds: 0 },
      most: 4,
      maxCallMs: 500,
      parameters,
      present: () => [],
    });
    assert.equal(capacity.frameCosts, null);
    capacity.calibrated({
      device: 'cpu',
      costs: [
        { rows: 1, ms: 20 },
        { rows: 2, ms: 30 },
      ],
      rowBudget: 2,
      pictureMs: 5,
      calibration: { at: new Date(0), isKept: false },
    });
    assert.deepEqual(capacity.frameCosts, {
      width: 256,
      height: 128,
      picture_ms: 5,
      step_ms: 20,
      // Twenty times the default: a step and its picture may take half a second.
      most_pixels: 20 * 256 * 128,
    });
  });
});
