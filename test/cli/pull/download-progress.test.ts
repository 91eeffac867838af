import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { downloadLine } from '../../../src/cli/pull/download-progress.js';

describe('downloadLine', () => {
  it('shows bar, bytes, speed, time left and file', () => {
    assert.equal(
      downloadLine({ done: 500e6, total: 2e9, perSecond: 20e6, path: 'unet/model.onnx' }),
      '[######------------------] 0.5/2.0 GB  20.0 MB/s  1:15 left  unet/model.onnx',
    );
    assert.equal(
      downloadLine({ done: 0, total: 0, perSecond: 0, path: 'x' }),
      '[------------------------] 0.0/0.0 B  0 B/s  x',
    );
  });
});
