import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { BrownianPath, brownianTime, stepNoise } from '../../src/diffusion/brownian.js';
import { assertClose } from '../support/compare.js';
import { cases } from '../support/properties.js';

const length = 20_000;
const times = [0.137, 0.5, 0.5 + 2 ** -9, 0.731, 1];

function mean(
  values: ArrayLike<number>,
  of: (value: number, i: number) => number = (value) => value,
): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += of(values[i], i);
  return sum / values.length;
}

/** Asserts that a mean of `length` numbers is as wanted, to 4.5 standard errors. */
function assertMean(got: number, wanted: number, deviation: number, what: string): void {
  const error = Math.abs(got - wanted) / (deviation / Math.sqrt(length));
  assert.ok(error <= 4.5, `${what}: ${got}, ${error} standard errors from ${wanted}`);
}

/** Returns W(from) - W(to). */
function change(path: BrownianPath, from: number, to: number): Float64Array {
  const end = path.at(to);
  return path.at(from).map((value, i) => value - end[i]);
}

describe('a Brownian path', () => {
  it('starts at 0, and has the time as its variance', () => {
    const path = new BrownianPath(length, 7);
    assert.ok(path.at(0).every((value) => value === 0));
    for (const time of times) {
      const values = path.at(time);
      assertMean(mean(values), 0, Math.sqrt(time), `mean at ${time}`);
      const variance = mean(values, (value) => value ** 2);
      assertMean(variance, time, time * Math.SQRT2, `variance at ${time}`);
    }
  });

  it('has independent increments with their length as their variance', () => {
    const path = new BrownianPath(length, 7);
    const ends = [0, 0.02, ...times];
    const changes = ends.slice(1).map((to, i) => ({ span: to - ends[i], values: change(path, to, ends[i]) }));
    for (const [i, { span, values }] of changes.entries()) {
      const variance = mean(values, (value) => value ** 2);
      assertMean(variance, span, span * Math.SQRT2, `variance of increment ${i}`);
      // The fourth moment of a Gaussian is 3.
      const fourth = mean(values, (value) => value ** 4) / span ** 2;
      assertMean(fourth, 3, Math.sqrt(96), `fourth moment of increment ${i}`);
      for (const [k, other] of changes.slice(0, i).entries()) {
        const product = mean(values, (value, at) => value * other.values[at]);
        assertMean(product, 0, Math.sqrt(span * other.span), `covariance of ${i} and ${k}`);
      }
    }
  });

  it('is the same in any order of asking, and for any part of its values', () => {
    const inOrder = times.map((time) => new BrownianPath(64, 7, 1).at(time));
    const path = new BrownianPath(64, 7, 1);
    for (const [i, time] of [...times.entries()].reverse()) assert.deepEqual(path.at(time), inOrder[i]);
    for (const [i, time] of times.entries()) {
      assert.deepEqual(new BrownianPath(10, 7, 1).at(time), inOrder[i].subarray(0, 10));
    }
  });

  it('is continuous, down to the smallest steps', () => {
    const path = new BrownianPath(1000, 3);
    for (const step of [1e-3, 1e-6, 1e-9]) {
      for (const time of [0.3, 0.5, 1 - step]) {
        const variance = mean(change(path, time + step, time), (value) => value ** 2);
        assert.ok(variance < 1.5 * step, `${variance} after ${step} at ${time}`);
      }
    }
  });

  it('is another one for another key', () => {
    const path = new BrownianPath(length, 7, 0).at(0.5);
    for (const key of [[8, 0], [7, 1], [7]]) {
      const other = new BrownianPath(length, ...key).at(0.5);
      assertMean(
        mean(path, (value, i) => value * other[i]),
        0,
        0.5,
        key.join(),
      );
    }
  });
});

describe('the noise of a step', () => {
  const values = (noise: { next(): number }, count: number): number[] =>
    Array.from({ length: count }, () => noise.next());

  it('adds up: in two steps the path goes where it goes in one', () => {
    const time = fc.integer({ min: 0, max: 1e6 }).map((millionths) => millionths / 1e6);
    fc.assert(
      fc.property(fc.nat(), fc.uniqueArray(time, { minLength: 3, maxLength: 3 }), (seed, given) => {
        const [from, middle, to] = given.toSorted((p, q) => q - p);
        const path = new BrownianPath(8, seed);
        const [first, second] = [1, 2].map((stage) => values(stepNoise(path, [from, middle, to], stage), 8));
        const whole = values(stepNoise(path, [from, to], 1), 8);
        const sum = first.map(
          (value, i) => value * Math.sqrt(from - middle) + second[i] * Math.sqrt(middle - to),
        );
        assertClose(
          sum,
          whole.map((value) => value * Math.sqrt(from - to)),
          1e-9,
          'sum of the parts',
        );
      }),
      { numRuns: cases(100) },
    );
  });

  it('is of unit variance however short the step, and goes on to time 0 after the last stage', () => {
    const path = new BrownianPath(length, 5);
    const stages = [0.9, 0.4, 0.399];
    for (const stage of [1, 2, 3]) {
      const noise = values(stepNoise(path, stages, stage), length);
      const variance = mean(noise, (value) => value ** 2);
      assertMean(variance, 1, Math.SQRT2, `stage ${stage}`);
    }
    const last = values(stepNoise(path, stages, 3), length);
    const wanted = path.at(0.399).map((value) => value / Math.sqrt(0.399));
    assertClose(last, wanted, 1e-12, 'the last step');
  });

  it('has a time by the ratio of noise to signal, the same in all coordinates', () => {
    assert.equal(brownianTime({ a: 1, b: 0 }), 0);
    assert.equal(brownianTime({ a: 0, b: 1 }), 1);
    assert.equal(brownianTime({ a: 0.5, b: 0.5 }), 0.5);
    assert.ok(Math.abs(brownianTime({ a: 0.6, b: 0.8 }) - brownianTime({ a: 3, b: 4 })) < 1e-15);
  });
});
