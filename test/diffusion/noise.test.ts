import assert from 'node:assert/strict';
import { test } from 'node:test';
import { assertClose } from '../support/compare.js';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { SeededNoise } from '../../src/diffusion/noise.js';

const length = 20_000;

function moments(values: Float32Array): { mean: number; variance: number } {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length;
  return { mean, variance };
}

function correlation(a: Float32Array, b: Float32Array): number {
  return a.reduce((sum, value, i) => sum + value * b[i], 0) / a.length;
}

function assertUnit(values: Float32Array): void {
  const { mean, variance } = moments(values);
  assert.ok(Math.abs(mean) < 0.04, `mean ${mean}`);
  assert.ok(Math.abs(variance - 1) < 0.05, `variance ${variance}`);
}

test('equal keys give equal numbers, and different keys independent ones', () => {
  const draw = (...key: number[]): Float32Array => {
    const values = new Float32Array(length);
    return new Gaussian(...key).fill(values);
  };
  assert.deepEqual(draw(7, 1), draw(7, 1));
  for (const key of [[7, 2], [8, 1], [1, 7], [7]]) {
    assertUnit(draw(...key));
    assert.ok(Math.abs(correlation(draw(7, 1), draw(...key))) < 0.04, key.join());
  }
});

test('uniform numbers fill the interval evenly', () => {
  const random = new Gaussian(1);
  const counts = Array<number>(10).fill(0);
  for (let i = 0; i < length; i++) counts[Math.floor(random.uniform() * 10)] += 1;
  for (const count of counts) assert.ok(Math.abs(count / length - 0.1) < 0.01);
});

test('fixed noise is the same for every frame, and different for each stage', () => {
  const noise = new SeededNoise([{ seed: 3, weight: 1 }], length, 0);
  assert.equal(noise.at(1, 0), noise.at(1, 999));
  assertUnit(noise.at(0, 0));
  assert.ok(Math.abs(correlation(noise.at(0, 0), noise.at(1, 0))) < 0.04);
});

test('drifting noise turns slowly, keeps its variance, and depends on the frame alone', () => {
  const noise = new SeededNoise([{ seed: 3, weight: 1 }], length, 0.1);
  const frames = Array.from({ length: 31 }, (_, ordinal) => noise.at(0, ordinal).slice());
  for (const [ordinal, values] of frames.entries()) {
    assertUnit(values);
    if (ordinal > 0) assert.ok(correlation(values, frames[ordinal - 1]) > 0.97);
  }
  assert.ok(Math.abs(correlation(frames[0], frames[10])) < 0.04, 'it has changed after a full turn');
  assert.deepEqual(new SeededNoise([{ seed: 3, weight: 1 }], length, 0.1).at(0, 17), frames[17]);
});

test('weighted seeds blend at unit variance; a weight of 0 changes nothing', () => {
  const one = new SeededNoise([{ seed: 1, weight: 2 }], length, 0).at(0, 0);
  const two = new SeededNoise([{ seed: 2, weight: 1 }], length, 0).at(0, 0);
  const blend = new SeededNoise(
    [
      { seed: 1, weight: 3 },
      { seed: 2, weight: 4 },
    ],
    length,
    0,
  ).at(0, 0);
  assertUnit(blend);
  assert.ok(Math.abs(correlation(blend, one) - 0.6) < 0.05);
  assert.ok(Math.abs(correlation(blend, two) - 0.8) < 0.05);
  assert.deepEqual(
    new SeededNoise(
      [
        { seed: 1, weight: 1 },
        { seed: 2, weight: 0 },
      ],
      length,
      0,
    ).at(0, 0),
    one,
  );
});

test('the start noise of txt2img differs from frame to frame and is repeatable', () => {
  const noise = new SeededNoise([{ seed: 3, weight: 1 }], length, 0);
  const [first, second] = [0, 1].map((ordinal) => noise.start(ordinal).slice());
  assertUnit(first);
  assert.ok(Math.abs(correlation(first, second)) < 0.04);
  assert.deepEqual(noise.start(0), first);
});

test('numbers stay those of sfc32 and of Box and Muller, because the seeds of users depend on them', () => {
  const uniform = new Gaussian(7, 1);
  assert.deepEqual(
    [1, 2, 3].map(() => uniform.uniform()),
    [0.6796196810901165, 0.18685929500497878, 0.8145341400522739],
  );
  const radius = Math.sqrt(-2 * Math.log(1 - 0.6796196810901165));
  const angle = 2 * Math.PI * 0.18685929500497878;
  const gaussian = new Gaussian(7, 1);
  assert.deepEqual([gaussian.next(), gaussian.next()], [radius * Math.cos(angle), radius * Math.sin(angle)]);
  assert.equal(gaussian.next(), 0.9474661214366303);
  assert.equal(new Gaussian(-1).uniform(), 0.516283463453874);
  const noise = new SeededNoise([{ seed: 7, weight: 1 }], 3, 0.25);
  assertClose(
    noise.at(1, 0),
    [-0.010342134162783623, 0.3209325969219208, 0.008889478631317616],
    1e-6,
    'at first',
  );
  assertClose(
    noise.at(1, 4),
    [0.430061936378479, 0.9130436182022095, 1.9086542129516602],
    1e-6,
    'a turn later',
  );
  assertClose(
    noise.at(1, 6),
    [0.597925066947937, 0.14914539456367493, 1.6747262477874756],
    1e-6,
    'in between',
  );
  assertClose(noise.start(2), [1.4911757707595825, 0.828757107257843, 1.6917568445205688], 1e-6, 'a start');
});

test('drifting noise can be read again a little later, and forgets what is further back', () => {
  const noise = new SeededNoise([{ seed: 3, weight: 1 }], 2, 1);
  const draws = Array.from({ length: 5 }, (_, ordinal) => noise.at(0, ordinal));
  assert.equal(noise.at(0, 4), draws[4]);
  assert.equal(noise.at(0, 2), draws[2]);
  const again = noise.at(0, 1);
  assert.notEqual(again, draws[1]);
  assert.deepEqual(again, draws[1]);
});

test('drifting noise that was read again much later is forgotten too, so that memory does not grow', () => {
  const noise = new SeededNoise([{ seed: 3, weight: 1 }], 2, 1);
  for (const ordinal of [0, 1, 2, 3, 4]) noise.at(0, ordinal);
  const again = noise.at(0, 1);
  // As with a mask for every other frame: these do not pass three positions after it.
  for (const ordinal of [6, 8, 10]) noise.at(0, ordinal);
  assert.notEqual(noise.at(0, 1), again);
});
