import assert from 'node:assert/strict';
import { test } from 'node:test';
import { blend, interpolate } from '../../src/diffusion/blend.js';
import { timeIndices } from '../../src/diffusion/time-indices.js';
import { assertClose } from '../support/compare.js';
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
  // Rounding takes the cosine of opposite directions below -1.
  for (let i = 1; i < 100; i++) {
    const embedding = Float32Array.from({ length: 7 }, (_, j) => Math.sin(i * (j + 1)));
    const parts = [embedding, embedding.map((value) => -value)].map((part) => ({
      embedding: part,
      weight: 1,
    }));
    assert.ok(blend(parts, 'slerp').every(Number.isFinite), `${i}`);
  }
  assert.throws(() => blend([{ embedding: x, weight: 0 }], 'lerp'), RangeError);
  assert.deepEqual([...x], [1, 0, 0], 'the blended prompts stay unchanged');
});

test('slerp follows the arc, whatever the lengths', () => {
  const angle = Math.PI / 3;
  const other = Float32Array.of(2 * Math.cos(angle), 2 * Math.sin(angle), 0);
  const blended = blend(
    [
      { embedding: x, weight: 3 },
      { embedding: other, weight: 1 },
    ],
    'slerp',
  );
  const share = (part: number): number => Math.sin(part * angle) / Math.sin(angle);
  const wanted = [share(0.75) + share(0.25) * other[0], share(0.25) * other[1], 0];
  assertClose(blended, wanted, 1e-6, 'slerp');
  // Nearly parallel: there the arc is practically straight.
  const near = Float32Array.of(1, 1e-5, 0);
  const parts = [
    { embedding: x, weight: 1 },
    { embedding: near, weight: 1 },
  ];
  assert.deepEqual(blend(parts, 'slerp'), blend(parts, 'lerp'));
});

test('more than two prompts blend by their weights, pair by pair', () => {
  const z = Float32Array.of(0, 0, 1);
  const parts = [
    { embedding: x, weight: 1 },
    { embedding: y, weight: 2 },
    { embedding: z, weight: 5 },
  ];
  assertClose(blend(parts, 'lerp'), [1 / 8, 2 / 8, 5 / 8], 1e-6, 'lerp');
});

test('more than two prompts follow arcs one after the other', () => {
  const z = Float32Array.of(0, 0, 1);
  const two = [
    { embedding: x, weight: 1 },
    { embedding: y, weight: 1 },
  ];
  const parts = [...two, { embedding: z, weight: 2 }];
  const half = Math.SQRT1_2;
  assertClose(blend(two, 'slerp'), [half, half, 0], 1e-6, 'two');
  assertClose(blend(parts, 'slerp'), [0.5, 0.5, half], 1e-6, 'three');
  assertClose(blend([{ embedding: z, weight: 0 }, ...parts], 'slerp'), [0.5, 0.5, half], 1e-6, 'and none');
  const message = 'at least one weight must be above 0';
  for (const none of [[], [{ embedding: x, weight: 0 }], [{ embedding: x, weight: -1 }]]) {
    assert.throws(() => blend(none, 'slerp'), { name: 'RangeError', message });
  }
});

test('an arc ends at its prompts, and is straight if no arc exists', () => {
  const to = Float32Array.of(0, 2, 0);
  const at = (from: Float32Array, t: number, other: Float32Array = to): Float32Array =>
    interpolate(from, other, t, 'slerp', new Float32Array(3));
  assertClose(at(x, 0), x, 1e-6, 'start');
  assertClose(at(x, 1), to, 1e-6, 'end');
  assertClose(at(x, 1 / 3), [Math.cos(Math.PI / 6), 2 * Math.sin(Math.PI / 6), 0], 1e-6, 'a third');
  const nothing = new Float32Array(3);
  assert.ok(at(nothing, 0.25).every(Number.isFinite), 'from nothing');
  assert.ok(
    at(nothing, 0.25, nothing).every((value) => value === 0),
    'nothing at all',
  );
  assert.deepEqual(at(x, 0.25, Float32Array.of(-3, 0, 0)), Float32Array.of(0, 0, 0), 'opposite');
  // Rounding takes the cosine of some prompts with themselves above 1.
  for (let i = 1; i < 200; i++) {
    const own = Float32Array.of(Math.sin(i), Math.cos(3 * i), Math.sin(7 * i));
    assertClose(at(own, 0.25, own), own, 1e-6, `${i}`);
    assertClose(
      at(
        own,
        0.25,
        own.map((value) => -value),
      ),
      own.map((value) => value / 2),
      1e-6,
      `${i}, opposite`,
    );
  }
  const out = Float32Array.of(1, 2, 3);
  assert.equal(interpolate(out, to, 0.5, 'lerp', out), out, 'out may be the input');
  assert.deepEqual([...out], [0.5, 2, 1.5]);
});

test('an embedding reports whether it moves, and a move to the same prompt has no effect', () => {
  const moving = new MovingEmbedding(x);
  assert.equal(moving.moving, null);
  const way = { method: 'lerp', ordinal: 0, ms: 0, length: { frames: 2, seconds: 0 } } as const;
  moving.moveTo(x, way);
  assert.equal(moving.moving, null);
  moving.moveTo(y, way);
  assert.deepEqual(moving.moving, { from: x, way });
  moving.moveTo(y, { ...way, ordinal: 1 });
  assert.deepEqual(moving.moving, { from: x, way });
  assert.equal(moving.at(2, 0), y);
  assert.equal(moving.moving, null);
  assert.equal(moving.at(0, 0), y);
});

test('a transition takes its frames or seconds, whichever is longer', () => {
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

test('a transition follows a line or an arc, in proportion to the time or frames that have passed', () => {
  const start = { ordinal: 10, ms: 5000 };
  const moved = (method: 'lerp' | 'slerp', frames: number, seconds: number): MovingEmbedding => {
    const moving = new MovingEmbedding(x);
    moving.moveTo(y, { ...start, method, length: { frames, seconds } });
    return moving;
  };
  assertClose(moved('slerp', 2, 0).at(11, 0), [Math.SQRT1_2, Math.SQRT1_2, 0], 1e-6, 'slerp');
  assertClose(moved('lerp', 2, 0).at(11, 0), [0.5, 0.5, 0], 1e-6, 'lerp');
  for (const [frames, seconds, ordinal, ms, part] of [
    [0, 4, 10, 5000, 0],
    [0, 4, 10, 6000, 0.25],
    [0, 4, 0, 8000, 0.75],
    [0, 0.5, 10, 5125, 0.25],
    [8, 0, 12, 5000, 0.25],
    [8, 4, 12, 8000, 0.25],
    [8, 4, 18, 6000, 0.25],
  ] as const) {
    const [from, to] = moved('lerp', frames, seconds).at(ordinal, ms);
    assert.deepEqual([from, to], [1 - part, part], `${frames}, ${seconds}: ${ordinal}, ${ms}`);
  }
  for (const [frames, seconds, ordinal, ms] of [
    [1, 0, 11, 0],
    [0, 1, 0, 6000],
    [1, 1, 11, 6000],
    [8, 4, 18, 9000],
  ] as const) {
    const moving = moved('lerp', frames, seconds);
    assert.equal(moving.at(ordinal, ms), y);
    assert.equal(moving.moving, null);
  }
});

test('each point of a transition is a separate array, and the ends stay unchanged', () => {
  const moving = new MovingEmbedding(x);
  assert.equal(moving.at(0, 0), x);
  moving.moveTo(y, { method: 'lerp', ordinal: 0, ms: 0, length: { frames: 4, seconds: 0 } });
  const [first, second] = [moving.at(1, 0), moving.at(2, 0)];
  assert.deepEqual(
    [[...first], [...second]],
    [
      [0.75, 0.25, 0],
      [0.5, 0.5, 0],
    ],
  );
  assert.deepEqual(
    [[...x], [...y]],
    [
      [1, 0, 0],
      [0, 1, 0],
    ],
  );
});

test('a transition with a new target continues from where it is', () => {
  const moving = new MovingEmbedding(x);
  const way = { method: 'lerp', ms: 0, length: { frames: 4, seconds: 0 } } as const;
  moving.moveTo(y, { ...way, ordinal: 0 });
  const half = moving.at(2, 0);
  moving.moveTo(x, { ...way, ordinal: 2 });
  assert.deepEqual(moving.at(2, 0), half);
  assert.equal(moving.at(4, 0)[0], 0.75);
  assert.equal(moving.at(6, 0), x);
});

test('strength and steps select the end of the schedule, evenly', () => {
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
