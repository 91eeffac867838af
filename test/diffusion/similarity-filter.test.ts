import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { SimilarityFilter, skipProbability } from '../../src/diffusion/similarity-filter.js';

const [up, right] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];

/** Returns what becomes of frames: `s` is skipped, `p` processed. */
function decisions(
  filter: SimilarityFilter,
  frames: readonly Float32Array[],
  { threshold = 0.9, maxSkip = 3 } = {},
): string {
  return frames
    .map((frame) => {
      if (filter.isSimilar([frame], threshold, maxSkip)) return 's';
      filter.accept([frame]);
      return 'p';
    })
    .join('');
}

test('an unchanged frame is skipped up to the maximum in a row, over and over', () => {
  const filter = new SimilarityFilter(() => 0.5, 0);
  assert.equal(decisions(filter, Array<Float32Array>(9).fill(up)), 'pssspsssp');
});

test('skips count from the last processed frame, whatever the reason for processing it', () => {
  // The original continues to count after a frame that passed on its own, and processes the sixth.
  const filter = new SimilarityFilter(() => 0.5, 0);
  assert.equal(decisions(filter, [up, up, up, right, right, right, right, right]), 'psspsssp');
});

test('a maximum of 0 or a threshold of 1 skips nothing, even if 0 is drawn', () => {
  const still = Array<Float32Array>(4).fill(up);
  assert.equal(decisions(new SimilarityFilter(() => 0, 0), still, { maxSkip: 0 }), 'pppp');
  assert.equal(decisions(new SimilarityFilter(() => 0, 0), still, { threshold: 1 }), 'pppp');
});

test('the share of skipped frames matches the probability', () => {
  const random = new Gaussian(1);
  const filter = new SimilarityFilter(() => random.uniform(), 0);
  filter.accept([up]);
  const near = Float32Array.of(Math.cos(0.2), Math.sin(0.2));
  const wanted = skipProbability(Math.cos(0.2), 0.9);
  const skipped = Array.from({ length: 4000 }, () => filter.isSimilar([near], 0.9, Infinity)).filter(Boolean);
  assert.ok(wanted > 0.7 && wanted < 0.9);
  // Four standard deviations.
  const allowed = 4 * Math.sqrt((wanted * (1 - wanted)) / 4000);
  assert.ok(Math.abs(skipped.length / 4000 - wanted) < allowed, `${skipped.length / 4000} and ${wanted}`);
});

test('values are relative to the centre; after a reset and at another size a frame is processed', () => {
  const filter = new SimilarityFilter(() => 0.5, 127.5);
  const bright = Float32Array.of(255, 255);
  const dark = Float32Array.of(0, 0);
  filter.accept([bright]);
  assert.ok(Math.abs((filter.similarity([dark]) ?? 0) + 1) < 1e-12);
  assert.equal(filter.isSimilar([bright], 0.9, 3), true);
  assert.equal(filter.isSimilar([Float32Array.of(255, 255, 255)], 0.9, 3), false);
  filter.reset();
  assert.equal(filter.isSimilar([bright], 0.9, 3), false);
});

test('the probability of a skip rises from 0 at the threshold to 1 for an equal frame', () => {
  for (const [cosine, threshold, wanted] of [
    [1, 0.75, 1],
    [0.875, 0.75, 0.5],
    [0.75, 0.75, 0],
    [0.5, 0.75, 0],
    [-1, 0.75, 0],
    [0.5, 0, 0.5],
    [0, 0, 0],
    [1, 1, 0],
    [1, 1.5, 0],
  ] as const) {
    assert.equal(skipProbability(cosine, threshold), wanted, `${cosine}, ${threshold}`);
  }
});

test('a frame is skipped at a draw up to its probability, and needs no draw at a probability of 0', () => {
  let drawn = 0;
  let next = 0;
  const filter = new SimilarityFilter(() => {
    drawn += 1;
    return next;
  }, 0);
  const skips = (frame: Float32Array, draw: number, threshold: number): boolean => {
    next = draw;
    return filter.isSimilar([frame], threshold, Infinity);
  };
  assert.equal(skips(up, 0, 0.5), false);
  assert.equal(drawn, 0, 'there is nothing to compare with');
  filter.accept([up]);
  assert.equal(skips(right, 0, 0), false);
  assert.equal(drawn, 0, 'its probability is 0');
  // A cosine of 0.6: at a threshold of 0.2 the probability is a half.
  const near = Float32Array.of(3, 4);
  const half = skipProbability(filter.similarity([near]) ?? 0, 0.2);
  assert.ok(Math.abs(half - 0.5) < 1e-12);
  assert.equal(skips(near, half, 0.2), true);
  assert.equal(skips(near, half + 1e-9, 0.2), false);
  assert.equal(drawn, 2);
});

test('similarity is the cosine of two frames around the centre', () => {
  const filter = new SimilarityFilter(() => 0, 10);
  assert.equal(filter.similarity([[11, 12]]), null);
  filter.accept([[13, 14]]);
  for (const [frame, wanted] of [
    [[13, 14], 1],
    [[16, 18], 1],
    [[7, 6], -1],
    [[14, 7], 0],
    [[15, 10], 0.6],
    [[10, 15], 0.8],
    [[10, 10], 0],
  ] as const) {
    assert.ok(Math.abs((filter.similarity([frame]) ?? NaN) - wanted) < 1e-12, frame.join());
  }
  assert.equal(filter.similarity([[13]]), null);
  assert.equal(filter.similarity([[13, 14, 10]]), null);
  filter.accept([[10, 10, 13]]);
  assert.equal(filter.similarity([[10, 10, 11]]), 1, 'a frame of another size becomes the new reference');
  filter.accept([[10, 10, 10]]);
  assert.equal(filter.similarity([[10, 10, 10]]), 0, 'a frame at the centre is similar to no other');
  filter.reset();
  assert.equal(filter.similarity([[10, 10, 10]]), null);
});

test('the filter copies the values of a frame, whose memory may change', () => {
  const filter = new SimilarityFilter(() => 0, 0);
  const frame = Float32Array.of(1, 0);
  filter.accept([frame]);
  frame.set([0, 1]);
  assert.equal(filter.similarity([up]), 1);
  assert.equal(filter.similarity([frame]), 0);
});

test('frames are skipped up to the maximum in a row, and each processed frame restarts the count', () => {
  const filter = new SimilarityFilter(() => 0, 0);
  const asked = (count: number, most: number): string =>
    Array.from({ length: count }, () => (filter.isSimilar([up], 0.5, most) ? 's' : 'p')).join('');
  filter.accept([up]);
  assert.equal(asked(4, 2), 'sspp');
  assert.equal(asked(2, 3), 'sp', 'a higher maximum allows more');
  filter.accept([up]);
  assert.equal(asked(3, 1), 'spp');
  filter.accept([up]);
  assert.equal(asked(1, 0), 'p');
});

test('a frame of several pictures is as similar as the least similar of them, and to no frame of other ones', () => {
  const filter = new SimilarityFilter(() => 0, 0);
  filter.accept([up, up]);
  assert.equal(filter.similarity([up, up]), 1);
  assert.equal(filter.similarity([right, up]), 0);
  assert.equal(filter.similarity([up, right]), 0);
  assert.equal(filter.similarity([up]), null);
  assert.equal(filter.similarity([up, up, up]), null);
  assert.equal(filter.similarity([up, Float32Array.of(1)]), null);
  filter.accept([up]);
  assert.equal(filter.similarity([up]), 1);
});

test('of a large picture, a sample of all its colours and places is compared', () => {
  const random = new Gaussian(3);
  const side = 512;
  const picture = Uint8Array.from({ length: 3 * side * side }, (_, i) => 100 + 100 * Math.sin(i / 5000));
  const noisy = picture.map((value) => value + 20 * random.next());
  let [dot, own, other] = [0, 0, 0];
  for (const [i, value] of picture.entries()) {
    dot += (value - 127.5) * (noisy[i] - 127.5);
    own += (value - 127.5) ** 2;
    other += (noisy[i] - 127.5) ** 2;
  }
  const filter = new SimilarityFilter(() => 0.5, 127.5);
  filter.accept([picture]);
  const wanted = dot / Math.sqrt(own * other);
  const similarity = filter.similarity([noisy]) ?? NaN;
  assert.ok(Math.abs(similarity - wanted) < 0.002 && wanted < 0.99, `${similarity} and ${wanted}`);
  // A change of one colour, and one of a small part, are seen.
  for (const changes of [
    (i: number) => i % 3 === 1,
    (i: number) => i % (3 * side) < 150 && i < 3 * side * 50,
  ]) {
    const changed = picture.map((value, i) => (changes(i) ? 255 - value : value));
    assert.ok((filter.similarity([changed]) ?? NaN) < 0.999);
  }
  assert.equal(filter.similarity([picture.subarray(3)]), null, 'another size');
});
