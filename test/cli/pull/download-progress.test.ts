import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { downloadLine } from '../../../src/cli/pull/download-progress.js';

describe('downloadLine', () => {
  it('shows bar, bytes, speed, time left and file', () => {
    assert.equal(
      downloadLine({ done: 500e6, total: 2e9, perSecond: 20e6, path: 'unet/model.onnx' }, 79),
      '[######------------------] 0.5/2.0 GB  20.0 MB/s  1:15 left  unet/model.onnx',
    );
    assert.equal(
      downloadLine({ done: 0, total: 0, perSecond: 0, path: 'x' }, 79),
      '[------------------------] 0.0/0.0 B  0 B/s  x',
    );
  });

  it('shortens a path that is too long, or leaves it out', () => {
    const state = { done: 5e6, total: 2e7, perSecond: 1e6, path: 'text_encoder/model.onnx' };
    const whole = '[######------------------] 5.0/20.0 MB  1.0 MB/s  0:15 left';
    assert.equal(downloadLine(state, 79), `${whole}  …ncoder/model.onnx`);
    assert.equal(downloadLine(state, 65), whole);
  });
});
