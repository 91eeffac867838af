import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeJpeg } from '../../src/image/encode.js';

const picture = (side: number) => ({ width: side, height: side, data: new Uint8Array(3 * side * side) });

test('calls use the work memory of earlier ones, of which eight are kept', async (t) => {
  const { mock } = t.mock.method(Buffer, 'allocUnsafeSlow');
  /** How often new memory is taken for so many pictures at once. */
  const taken = async (count: number, side = 64): Promise<number> => {
    const before = mock.callCount();
    await Promise.all(Array.from({ length: count }, () => encodeJpeg(picture(side), 80)));
    return mock.callCount() - before;
  };
  assert.equal(await taken(1), 1);
  assert.equal(await taken(1), 0);
  assert.equal(await taken(1, 32), 0, 'for a smaller one there is enough');
  assert.equal(await taken(1, 96), 1, 'for a larger one there is not');
  assert.equal(await taken(2, 96), 1);
  assert.equal(await taken(3), 0);
  assert.equal(await taken(11), 8);
  assert.equal(await taken(8), 0);
  assert.equal(await taken(11), 3);
});
