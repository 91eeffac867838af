import assert from 'node:assert/strict';
import { test } from 'node:test';
import { encodeJpeg } from '../../src/image/encode.js';

const picture = (side: number) => ({ width: side, height: side, data: new Uint8Array(3 * side * side) });

test('calls reuse the work memory of earlier ones, up to eight buffers', async (t) => {
  const { mock } = t.mock.method(Buffer, 'allocUnsafeSlow');
  /** Returns how often encoding `count` pictures at once allocates memory. */
  const allocations = async (count: number, side = 64): Promise<number> => {
    const before = mock.callCount();
    await Promise.all(Array.from({ length: count }, () => encodeJpeg(picture(side), 80)));
    return mock.callCount() - before;
  };
  assert.equal(await allocations(1), 1);
  assert.equal(await allocations(1), 0);
  assert.equal(await allocations(1, 32), 0, 'a smaller picture fits in the kept buffer');
  assert.equal(await allocations(1, 96), 1, 'a larger picture does not');
  assert.equal(await allocations(2, 96), 1);
  assert.equal(await allocations(3), 0);
  assert.equal(await allocations(11), 8);
  assert.equal(await allocations(8), 0);
  assert.equal(await allocations(11), 3);
});
