import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { progressLine } from '../../../src/cli/run/progress.js';

describe('progressLine', () => {
  it('shows the share done, frames per second and the time left', () => {
    assert.equal(progressLine(12, 24, 1500), '[############------------] 12/24 frames  8.0 fps  0:02 left');
    assert.equal(progressLine(1, 36_001, 100), `[${'-'.repeat(24)}] 1/36001 frames  10.0 fps  1:00:00 left`);
  });

  it('handles more frames than announced, and zero frames', () => {
    assert.match(progressLine(25, 24, 1000), /^\[#{24}\] 25\/24 .* 0:00 left$/);
    assert.equal(progressLine(0, 0, 0), `[${'-'.repeat(24)}] 0/0 frames  0.0 fps`);
  });
});
