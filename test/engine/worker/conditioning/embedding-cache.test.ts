import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EmbeddingCache } from '../../../../src/engine/worker/conditioning/embedding-cache.js';

test('the most recently used prompts are kept, and hits and misses are reported', async () => {
  const encoded: string[] = [];
  const hits: boolean[] = [];
  const cache = new EmbeddingCache(
    (prompt) => {
      encoded.push(prompt);
      return Promise.resolve({ encoder_hidden_states: Float32Array.of(prompt.length) });
    },
    { capacity: 2, onLookup: (hit) => void hits.push(hit) },
  );
  const a = await cache.get('a');
  assert.deepEqual([...a.encoder_hidden_states], [1]);
  await cache.get('bb');
  assert.equal(await cache.get('a'), a);
  await cache.get('ccc');
  assert.equal(await cache.get('a'), a, 'used after the one that was evicted');
  await cache.get('bb');
  assert.deepEqual(encoded, ['a', 'bb', 'ccc', 'bb']);
  assert.deepEqual(hits, [false, false, true, false, true, false]);
});
