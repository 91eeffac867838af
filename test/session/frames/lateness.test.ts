import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Lateness } from '../../../src/session/frames/lateness.js';

describe('Lateness', () => {
  it('applies to frames that took much longer than the others', () => {
    const lateness = new Lateness();
    const lags = [20, 25, 22, 60, 140, 2000, 1950, 21, 500];
    const late = lags.map((lag) => lateness.isLate(lag, 40));
    assert.deepEqual(late, [false, false, false, false, false, true, true, false, true]);
  });

  it('becomes the norm if it lasts', () => {
    const lateness = new Lateness();
    lateness.isLate(20, 40);
    const late = Array.from({ length: 20 }, () => lateness.isLate(1000, 40));
    assert.deepEqual(late.indexOf(false), 4);
    assert.ok(late.slice(4).every((each) => !each));
  });

  it('begins beyond three frame intervals, and ends with one frame that is not late', () => {
    const lateness = new Lateness();
    const isLate = (lag: number): boolean => lateness.isLate(lag, 10);
    assert.deepEqual([20, 50, 52].map(isLate), [false, false, true], 'the usual lag has moved a little');
    assert.deepEqual([100, 100, 100, 20, 100, 100, 100, 100].map(isLate), [
      true,
      true,
      true,
      false,
      true,
      true,
      true,
      true,
    ]);
    assert.equal(isLate(100), false, 'the fifth in a row sets the usual lag');
    assert.equal(isLate(130), false);
    assert.equal(isLate(140), true);
  });

  it('follows the usual lag slowly upwards, and immediately downwards', () => {
    const lateness = new Lateness();
    const isLate = (lag: number): boolean => lateness.isLate(lag, 10);
    isLate(20);
    for (let frame = 0; frame < 300; frame++) assert.equal(isLate(50), false);
    assert.equal(isLate(78), false, 'nearly at 50 now');
    isLate(10);
    assert.equal(isLate(41), true);
  });
});
