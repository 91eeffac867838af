import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { readMediaOptions, type RunOptions } from '../../../src/cli/run/run-options.js';

const usual: RunOptions = { output: 'a.mp4', quality: '90' };

describe('the options of run about input and output', () => {
  it('are read', () => {
    const options = { fps: '30000/1001', inputFormat: 'rawvideo:yuv420p', inputSize: '640x480', live: false };
    assert.deepEqual(readMediaOptions({ ...usual, ...options, size: '512x384', crf: '20' }), {
      rate: { numerator: 30_000, denominator: 1001 },
      form: {
        format: 'rawvideo:yuv420p',
        size: '640x480',
        rate: { numerator: 30_000, denominator: 1001 },
      },
      isLive: false,
      size: { width: 512, height: 384 },
      crf: 20,
      quality: 90,
    });
    const { rate, form, isLive, size } = readMediaOptions(usual);
    assert.deepEqual(rate, { numerator: 25, denominator: 1 });
    assert.deepEqual([form.rate, isLive, size], [null, null, null], 'a camera has a rate of its own');
  });

  const wrong: readonly (readonly [Partial<RunOptions>, RegExp])[] = [
    [{ fps: 'fast' }, /--fps must be a number or a fraction/],
    [{ size: '512' }, /--size must be WIDTHxHEIGHT such as 512x384, not 512/],
    [{ inputSize: 'big' }, /--input-size must be WIDTHxHEIGHT/],
    [{ inputFormat: 'rawvideo' }, /add --input-size/],
    [{ output: '-', json: true }, /--json prints on standard output, where the video goes/],
    [{ token: 'secret' }, /--token is for a server; add --server/],
    [{ server: 'http://a', model: 'x' }, /--model has no effect with --server/],
    [{ quality: '101' }, /--quality must be an integer from 1 to 100/],
  ];
  for (const [options, message] of wrong) {
    it(`name the wrong one: ${JSON.stringify(options)}`, () => {
      assert.throws(() => readMediaOptions({ ...usual, ...options }), { name: 'RunError', message });
    });
  }
});
