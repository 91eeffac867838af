import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blend } from '../../src/diffusion/blend.js';
import { timeIndices } from '../../src/diffusion/time-indices.js';
import { MovingEmbedding } from '../../src/diffusion/transition.js';

const norm = (values: Float32Array): number => Math.hypot(...values);
const x = Float32Array.of(1, 0, 0);
const y = Float32Array.of(0, 1, 0);

test('prompts blend by the ratio of their weights', () => {
  const lerp = blend(
    [
      { embedding: x, weight: 1 },
      { embedding: y, weight: 3 },
    ],
    'lerp',
  );
  assert.deepEqual([...lerp], [0.25, 0.75, 0]);
  assert.deepEqual(
    blend(
      [
        { embedding: x, weight: 10 },
        { embedding: y, weight: 30 },
      ],
      'lerp',
    ),
    lerp,
  );
  const slerp = blend(
    [
      { embedding: x, weight: 1 },
      { embedding: y, weight: 1 },
    ],
    'slerp',
  );
  assert.ok(Math.abs(norm(slerp) - 1) < 1e-6, 'stays on the sphere');
  assert.ok(Math.abs(slerp[0] - slerp[1]) < 1e-6);
  assert.deepEqual(
    blend(
      [
        { embedding: x, weight: 1 },
        { embedding: y, weight: 0 },
      ],
      'slerp',
    ),
    x,
  );
  // The same and opposite directions have no arc between them.
  for (const other of [x, x.map((value) => -value)]) {
    assert.ok(
      blend(
        [
          { embedding: x, weight: 1 },
          { embedding: other, weight: 1 },
        ],
        'slerp',
      ).every(Number.isFinite),
    );
  }
  assert.throws(() => blend([{ embedding: x, weight: 0 }], 'lerp'), RangeError);
  assert.deepEqual([...x], [1, 0, 0], 'what is blended stays as it is');
});

test('a transition takes the frames and seconds that it should, the longer of the two', () => {
  const way = { method: 'lerp', ordinal: 10, ms: 5000 } as const;
  const moving = new MovingEmbedding(x);
  moving.moveTo(y, { ...way, length: { frames: 4, seconds: 0 } });
  assert.equal(moving.at(10, 5000)[0], 1);
  assert.equal(moving.at(11, 5000)[1], 0.25);
  assert.equal(moving.at(14, 5000), y);

  const timed = new MovingEmbedding(x);
  timed.moveTo(y, { ...way, length: { frames: 4, seconds: 2 } });
  assert.equal(timed.at(14, 5500)[1], 0.25);
  assert.equal(timed.at(99, 7000), y);

  const sudden = new MovingEmbedding(x);
  sudden.moveTo(y, { ...way, length: { frames: 0, seconds: 0 } });
  assert.equal(sudden.at(10, 5000), y);
});

test('a transition that is turned away goes on from where it is', () => {
  const moving = new MovingEmbedding(x);
  const way = { method: 'lerp', ms: 0, length: { frames: 4, seconds: 0 } } as const;
  moving.moveTo(y, { ...way, ordinal: 0 });
  const half = moving.at(2, 0);
  moving.moveTo(x, { ...way, ordinal: 2 });
  assert.deepEqual(moving.at(2, 0), half);
  assert.equal(moving.at(4, 0)[0], 0.75);
  assert.equal(moving.at(6, 0), x);
});

test('strength and steps choose the end of the schedule, evenly', () => {
  assert.deepEqual(timeIndices(0.36, 1, 50), [32]);
  assert.deepEqual(timeIndices(0.36, 4, 50), [32, 36, 41, 45]);
  assert.deepEqual(timeIndices(1, 2, 50), [0, 25]);
  assert.deepEqual(timeIndices(1, 4, 4), [0, 1, 2, 3]);
  assert.deepEqual(timeIndices(0, 1, 50), [49], 'so little that no step fits is one step');
  assert.deepEqual(timeIndices(0.02, 4, 50), [46, 47, 48, 49]);
  for (let steps = 1; steps <= 10; steps++) {
    for (let strength = 0; strength <= 1; strength += 0.05) {
      const list = timeIndices(strength, steps, 50);
      assert.equal(new Set(list).size, steps);
      assert.ok(list[0] >= 0 && list.at(-1)! < 50);
    }
  }
});
