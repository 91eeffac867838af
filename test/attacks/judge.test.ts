import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { bounds, judge, shareOf, stretchOf, type Observed } from './harness/judge.js';

const MiB = 1024 * 1024;
/** Five frames a second for ten seconds, from a server capable of twenty, next to one other stream. */
const fine: Observed = {
  asked: 5,
  alone: 20,
  left: 1,
  streams: 1,
  most: Infinity,
  attacked: { seconds: 10, results: 50, gap: 0.3 },
  memory: { quiet: 400 * MiB, peak: 500 * MiB },
  lag: { quiet: { p99: 0.01, max: 0.02 }, attacked: { p99: 0.02, max: 0.1 } },
};

describe('the judge of attacks', () => {
  it('finds nothing if the bystander gets its share', () => {
    assert.deepEqual(judge(fine), { share: 5, part: 1, broken: [] });
  });

  it('computes the share as the requested rate, or as an equal part of the throughput', () => {
    for (const [changes, share] of [
      [{}, 5],
      [{ asked: null }, 10],
      [{ streams: 7 }, 2.5],
      [{ streams: 0, asked: null }, 20],
      [{ streams: 7, left: 0.5 }, 1.25],
      // More CPU time than in the quiet seconds does not raise the share.
      [{ asked: null, left: 1.5 }, 10],
    ] as const) {
      assert.equal(shareOf({ ...fine, ...changes }), share);
    }
  });

  for (const [name, changes, told] of [
    ['too few results', { attacked: { seconds: 10, results: 39, gap: 0.3 } }, /^78% of its share < 80%$/],
    ['too many results', { most: 0.9 }, /^100% of its share > 90%$/],
    ['a gap', { attacked: { seconds: 10, results: 48, gap: 1 } }, /^1\.0 s without a result$/],
    ['memory', { memory: { quiet: 400 * MiB, peak: 913 * MiB } }, /^memory grew by 513 MiB$/],
    [
      'lag',
      { lag: { quiet: { p99: 0.01, max: 0.02 }, attacked: { p99: 0.11, max: 0.4 } } },
      /^event-loop lag p99 110 ms > 100 ms$/,
    ],
    [
      'the longest lag',
      { lag: { quiet: { p99: 0.01, max: 0.3 }, attacked: { p99: 0.02, max: 1 } } },
      /^event-loop lag max 1000 ms > 900 ms$/,
    ],
  ] as const) {
    it(`finds ${name}`, () => {
      const { broken } = judge({ ...fine, ...changes });
      assert.equal(broken.length, 1);
      assert.match(broken[0] ?? '', told);
    });
  }

  it('allows longer gaps for a small share', () => {
    const small: Observed = { ...fine, streams: 19, attacked: { seconds: 10, results: 10, gap: 2.9 } };
    assert.deepEqual(judge(small).broken, []);
    assert.equal(judge({ ...small, attacked: { ...small.attacked, gap: 3.1 } }).broken.length, 1);
  });

  it('counts results within a period, and measures gaps up to its edges', () => {
    assert.deepEqual(stretchOf([900, 1500, 2000, 9000], 1000, 5000), { seconds: 4, results: 2, gap: 3 });
    assert.deepEqual(stretchOf([], 1000, 5000), { seconds: 4, results: 0, gap: 4 });
  });

  it('finds a stopped server', () => {
    const dead = judge({ ...fine, attacked: { seconds: 10, results: 0, gap: 10 } });
    assert.equal(dead.part, 0);
    assert.ok(bounds.part > 0 && dead.broken.length === 2);
  });
});
