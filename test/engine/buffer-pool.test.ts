import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BufferPool } from '../../src/engine/buffer-pool.js';

test('returned buffers are reused for the same size, and the oldest are discarded when there are too many', () => {
  const pool = new BufferPool(2);
  const [a, b, c] = [pool.take(4), pool.take(8), pool.take(4)];
  assert.deepEqual([a.byteLength, b.byteLength], [4, 8]);
  for (const buffer of [a, b, c]) pool.give(buffer);
  assert.equal(pool.take(4), c, 'the oldest was discarded');
  const other = pool.take(4);
  assert.notEqual(other, a);
  assert.notEqual(other, c, 'each is handed out once');
  assert.notEqual(pool.take(16), b);
  assert.equal(pool.take(8), b);
  pool.give(a);
  assert.equal(pool.take(4), a);
});
