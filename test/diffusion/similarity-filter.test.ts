import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Gaussian } from '../../src/diffusion/noise.js';
import { SimilarityFilter, skipProbability } from '../../src/diffusion/similarity-filter.js';

const [up, right] = [Float32Array.of(1, 0), Float32Array.of(0, 1)];

/** What becomes of frames: `s` is skipped, `p` processed. */
function decisions(
  filter: SimilarityFilter,
  frames: readonly Float32Array[],
  { threshold = 0.9, maxSkip = 3 } = {},
): string {
  return frames
    .map((frame) => {
      if (filter.isSimilar(frame, threshold, maxSkip)) return 's';
      filter.accept(frame);
      return 'p';
    })
    .join('');
}

test('a frame that stays is skipped as often in a row as it may be, over and over', () => {
  const filter = new SimilarityFilter(() => 0.5, 0);
  assert.equal(decisions(filter, Array<Float32Array>(9).fill(up)), 'pssspsssp');
});

test('skips count from the last frame that was processed, for whatever reason it was', () => {
  // The original goes on counting after a frame that passed of itself, and processes the sixth.
  const filter = new SimilarityFilter(() => 0.5, 0);
  assert.equal(decisions(filter, [up, up, up, right, right, right, right, right]), 'psspsssp');
});

test('a maximum of 0 and a threshold of 1 skip nothing, even if 0 is drawn', () => {
  const still = Array<Float32Array>(4).fill(up);
  assert.equal(decisions(new SimilarityFilter(() => 0, 0), still, { maxSkip: 0 }), 'pppp');
  assert.equal(decisions(new SimilarityFilter(() => 0, 0), still, { threshold: 1 }), 'pppp');
});

test('the share that is skipped is its probability', () => {
  const random = new Gaussian(1);
  const filter = new SimilarityFilter(() => random.uniform(), 0);
  filter.accept(up);
  const near = Float32Array.of(Math.cos(0.2), Math.sin(0.2));
  const wanted = skipProbability(Math.cos(0.2), 0.9);
  const skipped = Array.from({ length: 4000 }, () => filter.isSimilar(near, 0.9, Infinity)).filter(Boolean);
  assert.ok(wanted > 0.7 && wanted < 0.9);
  // Four standard deviations.
  const allowed = 4 * Math.sqrt((wanted * (1 - wanted)) / 4000);
  assert.ok(Math.abs(skipped.length / 4000 - wanted) < allowed, `${skipped.length / 4000} and ${wanted}`);
});

test('values are relative to the centre; after a reset and at another size a frame is processed', () => {
  const filter = new SimilarityFilter(() => 0.5, 127.5);
  const bright = Float32Array.of(255, 255);
  const dark = Float32Array.of(0, 0);
  filter.accept(bright);
  assert.ok(Math.abs((filter.similarity(dark) ?? 0) + 1) < 1e-12);
  assert.equal(filter.isSimilar(bright, 0.9, 3), true);
  assert.equal(filter.isSimilar(Float32Array.of(255, 255, 255), 0.9, 3), false);
  filter.reset();
  assert.equal(filter.isSimilar(bright, 0.9, 3), false);
});
