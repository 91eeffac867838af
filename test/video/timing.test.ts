import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { constantRate, parseRational } from '../../src/video/timing.js';

const milliseconds = { numerator: 1, denominator: 1000 };
const ntsc = { numerator: 30_000, denominator: 1001 };
const times = (count: number, time: (index: number) => number): number[] =>
  Array.from({ length: count }, (_, index) => time(index));

describe('constantRate', () => {
  it('is exact if the ticks are exact', () => {
    const timebase = { numerator: 1, denominator: 30_000 };
    assert.deepEqual(
      constantRate(
        times(50, (i) => 7 + i * 1001),
        timebase,
      ),
      ntsc,
    );
    assert.deepEqual(
      constantRate(
        times(3, (i) => i),
        { numerator: 1, denominator: 15 },
      ),
      { numerator: 15, denominator: 1 },
    );
  });

  it('finds the intended rate behind rounded milliseconds', () => {
    const rounded = times(100, (i) => Math.round((i * 1001) / 30));
    assert.deepEqual(constantRate(rounded, milliseconds), ntsc);
    const film = times(500, (i) => Math.floor((i * 1001) / 24));
    assert.deepEqual(constantRate(film, milliseconds), { numerator: 24_000, denominator: 1001 });
    const thirds = times(90, (i) => Math.round((i * 1000) / 30));
    assert.deepEqual(constantRate(thirds, milliseconds), { numerator: 30, denominator: 1 });
  });

  it('returns null for a varying rate, a single frame, and no frames', () => {
    assert.equal(constantRate([0, 733, 1133, 1600, 2067], milliseconds), null);
    assert.equal(constantRate([0, 40, 80, 160, 200], milliseconds), null);
    assert.equal(constantRate([0], milliseconds), null);
    assert.equal(constantRate([], milliseconds), null);
    assert.equal(constantRate([5, 5, 5], milliseconds), null);
  });

  it('takes the duration of the last frame into account where it matters', () => {
    assert.deepEqual(constantRate([0], milliseconds, 40), { numerator: 25, denominator: 1 });
    assert.equal(constantRate([0, 40, 80], milliseconds, 600), null);
    for (const last of [1, 40, 45]) {
      assert.deepEqual(constantRate([0, 40, 80], milliseconds, last), { numerator: 25, denominator: 1 });
    }
  });

  it('never returns a rate that is off by more than a tick anywhere', () => {
    const gaps = fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 40 });
    fc.assert(
      fc.property(gaps, (steps) => {
        const shown = [0];
        for (const step of steps) shown.push((shown.at(-1) ?? 0) + step);
        const rate = constantRate(shown, milliseconds);
        if (!rate) return;
        for (const [index, time] of shown.entries()) {
          const meant = (index * rate.denominator * 1000) / rate.numerator;
          assert.ok(Math.abs(time - meant) <= 1 + 1e-9);
        }
      }),
    );
  });
});

describe('parseRational', () => {
  it('reads only whole numbers and fractions', () => {
    assert.deepEqual(parseRational('30000/1001'), ntsc);
    assert.deepEqual(parseRational(' 25 '), { numerator: 25, denominator: 1 });
    for (const text of ['', '0', '1/0', '-1', '2.5', 'x', '1/2/3', '99999999999']) {
      assert.equal(parseRational(text), null, text);
    }
  });
});
