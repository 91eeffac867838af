import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { checkPreprocessors } from '../../../../src/engine/worker/networks/preprocessors.js';

describe('checkPreprocessors', () => {
  it('refuses a control whose preprocessor is neither in the folder nor one without a network', () => {
    const check = (preprocessor: string | null): void =>
      checkPreprocessors({
        root: 'model',
        controls: [{ name: 'edges', preprocessor, preprocessors: ['depth'] }],
      });
    for (const known of ['canny', 'soft_edge', 'passthrough', 'depth', null]) check(known);
    assert.throws(() => check('deep'), {
      name: 'ModelError',
      message: /the control edges has the preprocessor deep, which is unknown; there are canny, .*, depth$/,
    });
  });
});
