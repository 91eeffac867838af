import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lateness } from '../../../src/session/frames/lateness.js';

describe('Lateness', () => {
  it('is that of frames which took much longer than others', () => {
    const lateness = new Lateness();
    const lags = [20, 25, 22, 60, 140, 2000, 1950, 21, 500];
    const late = lags.map((lag) => lateness.isLate(lag, 40));
    assert.deepEqual(late, [false, false, false, false, false, true, true, false, true]);
  });

  it('is the usual when it lasts', () => {
    const lateness = new Lateness();
    lateness.isLate(20, 40);
    const late = Array.from({ length: 20 }, () => lateness.isLate(1000, 40));
    assert.deepEqual(late.indexOf(false), 4);
    assert.ok(late.slice(4).every((each) => !each));
  });
});
