import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { asBuffer, partCounter } from '../../src/image/container.js';

describe('the parts of a file', () => {
  it('may be a thousand, plus one for each 512 bytes', () => {
    for (const [bytes, most] of [
      [0, 1000],
      [511, 1000],
      [512, 1001],
      [1024, 1002],
      [51_200, 1100],
    ] as const) {
      const count = partCounter(new Uint8Array(bytes));
      for (let part = 0; part < most; part++) count();
      assert.throws(count, { name: 'ImageError', message: 'the image has too many parts' }, `${bytes}`);
    }
  });
});

it('asBuffer returns a view of the same bytes', () => {
  const bytes = Uint8Array.of(1, 2, 3, 4, 5);
  const buffer = asBuffer(bytes.subarray(1, 4));
  assert.deepEqual([...buffer], [2, 3, 4]);
  buffer[0] = 9;
  assert.equal(bytes[1], 9);
});
