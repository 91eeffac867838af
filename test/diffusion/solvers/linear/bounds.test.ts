import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { boundOf, outputsOf, type BoundKinds } from '../../../../src/diffusion/solvers/linear/bounds.js';
import type { SchedulerConfig } from '../../../../src/diffusion/schedule.js';

const both = { clip: true, threshold: true };

function bounded(
  values: readonly number[],
  config: SchedulerConfig,
  kinds: BoundKinds = both,
): number[] | null {
  const bound = boundOf(config, kinds);
  if (bound === null) return null;
  const clean = Float64Array.from(values);
  bound(clean);
  return [...clean];
}

describe('clean estimates', () => {
  it('are clipped to a range, 1 by default', () => {
    const values = [-3, -1, 0.5, 1, 1.5];
    assert.deepEqual(bounded(values, { clip_sample: true }), [-1, -1, 0.5, 1, 1]);
    assert.deepEqual(
      bounded(values, { clip_sample: true, clip_sample_range: 1.25 }),
      [-1.25, -1, 0.5, 1, 1.25],
    );
  });

  it('are clipped to a quantile of their sizes and divided by it, if it is above 1 and up to a limit', () => {
    const values = [-8, 1, 2, 4, 6];
    const config = { thresholding: true, dynamic_thresholding_ratio: 0.75, sample_max_value: 10 };
    assert.deepEqual(bounded(values, config), [-1, 1 / 6, 2 / 6, 4 / 6, 1]);
    assert.deepEqual(
      bounded(values, { ...config, dynamic_thresholding_ratio: 0.625 }),
      [-1, 0.2, 0.4, 0.8, 1],
    );
    assert.deepEqual(bounded(values, { ...config, dynamic_thresholding_ratio: 1 }), [
      -1,
      1 / 8,
      2 / 8,
      4 / 8,
      6 / 8,
    ]);
    assert.deepEqual(bounded(values, { ...config, sample_max_value: 4 }), [-1, 0.25, 0.5, 1, 1]);
    assert.deepEqual(bounded([-0.5, 0.25], config), [-0.5, 0.25]);
    assert.deepEqual(bounded([], config), []);
  });

  it('have a quantile of 99.5% and a limit of 1 by default', () => {
    const values = Array.from({ length: 1001 }, (_, i) => i / 100);
    const [, , third] = bounded(values, { thresholding: true, sample_max_value: 100 }) ?? [];
    assert.ok(Math.abs((third ?? 0) - 0.02 / 9.95) < 1e-12, `${third}`);
    assert.deepEqual(bounded([-3, 0.5, 3], { thresholding: true }), [-1, 0.5, 1]);
  });

  it('are unbounded if the configuration or the solver has no bounds', () => {
    const config = { clip_sample: true, thresholding: true, sample_max_value: 10 };
    assert.equal(bounded([3], {}), null);
    assert.equal(bounded([3], config, { clip: false, threshold: false }), null);
    assert.equal(bounded([3], { clip_sample: true }, { clip: false, threshold: true }), null);
    assert.deepEqual(bounded([3], config, { clip: true, threshold: false }), [1], 'clipped');
    assert.deepEqual(
      bounded([3, 2], config),
      [1, 2 / 2.995].map((value, i) => (i === 0 ? 1 : value)),
    );
  });
});

it('the noise of a bounded estimate is the rest of the sample', () => {
  const stage = { timestep: 1, a: 0.6, b: 0.8, inputScale: 0.5 };
  assert.deepEqual(outputsOf(stage, null).eps, { eps: 1 });
  const { clean, eps } = outputsOf(stage, () => {});
  assert.deepEqual(clean, { clean: 1 });
  assert.deepEqual(eps, { sample: 0.5 / 0.8, clean: -0.6 / 0.8 });
});
