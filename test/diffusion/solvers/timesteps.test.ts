import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { roundHalfToEven, spacedTimesteps } from '../../../src/diffusion/solvers/timesteps.js';

describe('timesteps', () => {
  it('round halves to even as numpy does', () => {
    assert.deepEqual([0.5, 1.5, 2.5, -0.5, 2.4, 2.6, -1.5].map(roundHalfToEven), [0, 2, 2, 0, 2, 3, -2]);
  });

  // Lin et al. 2023, table 2, for 1000 timesteps in 10 steps.
  it('are spaced as published', () => {
    assert.deepEqual(
      spacedTimesteps('linspace', 10, { trained: 1000 }).map(Math.round),
      [999, 888, 777, 666, 555, 444, 333, 222, 111, 0],
    );
    assert.deepEqual(
      spacedTimesteps('leading', 10, { trained: 1000, offset: 1 }),
      [901, 801, 701, 601, 501, 401, 301, 201, 101, 1],
    );
    assert.deepEqual(
      spacedTimesteps('trailing', 10, { trained: 1000 }),
      [999, 899, 799, 699, 599, 499, 399, 299, 199, 99],
    );
  });

  it('stop one short of the end where they are exclusive', () => {
    assert.deepEqual(spacedTimesteps('linspace', 3, { trained: 1000, exclusive: true }), [999, 666, 333]);
    assert.deepEqual(spacedTimesteps('leading', 3, { trained: 1000, exclusive: true }), [750, 500, 250]);
  });

  it('are as many as asked for, whatever divisions leave over', () => {
    for (const spacing of ['linspace', 'leading', 'trailing'] as const) {
      for (let count = 1; count <= 1000; count++) {
        const timesteps = spacedTimesteps(spacing, count, { trained: 1000 });
        assert.equal(timesteps.length, count);
        assert.ok(
          timesteps.every((t) => t >= 0 && t < 1000),
          `${spacing} ${count}`,
        );
      }
    }
  });
});
