import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkTimesteps,
  levelOf,
  roundHalfToEven,
  selectPositions,
  spacedTimesteps,
  stageAt,
} from '../../../../src/diffusion/solvers/paths/timesteps.js';
import { defaultOptions } from '../solver-settings.js';

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

  it('stop one short of the end if they are exclusive', () => {
    assert.deepEqual(spacedTimesteps('linspace', 3, { trained: 1000, exclusive: true }), [999, 666, 333]);
    assert.deepEqual(spacedTimesteps('leading', 3, { trained: 1000, exclusive: true }), [750, 500, 250]);
  });

  it('have the requested number, whatever the remainder of divisions', () => {
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

  it('start from a part of the training on request', () => {
    const span = { trained: 1000, range: 500 };
    assert.deepEqual(spacedTimesteps('linspace', 3, span), [499, 249.5, 0]);
    assert.deepEqual(spacedTimesteps('leading', 3, span), [332, 166, 0]);
    assert.deepEqual(spacedTimesteps('trailing', 2, span), [499, -1]);
    assert.deepEqual(spacedTimesteps('linspace', 1, span), [0]);
    assert.deepEqual(spacedTimesteps('linspace', 1, { ...span, exclusive: true }), [499]);
    assert.deepEqual(spacedTimesteps('leading', 1, { trained: 1000, offset: 2 }), [2]);
    assert.deepEqual(spacedTimesteps('trailing', 16, { trained: 1000 }).slice(0, 3), [999, 937, 874]);
  });

  it('have the noise level of the training', () => {
    const schedule = { alphasCumprod: Float64Array.of(0.96, 0.36) };
    assert.deepEqual(levelOf(0.36), { a: 0.6, b: 0.8 });
    assert.deepEqual(stageAt(schedule, 1), { timestep: 1, a: 0.6, b: 0.8, inputScale: 1 });
  });
});

describe('positions', () => {
  const select = (
    steps: number,
    t_index_list: readonly number[] | null,
  ): ReturnType<typeof selectPositions> =>
    selectPositions({ ...defaultOptions, num_inference_steps: steps, t_index_list }, 50);

  it('are all, or those of the list, which may be the end of the schedule', () => {
    assert.deepEqual(select(3, null), { positions: [0, 1, 2], untilEnd: true });
    assert.deepEqual(select(1, null), { positions: [0], untilEnd: true });
    assert.deepEqual(select(50, [0]), { positions: [0], untilEnd: false });
    assert.deepEqual(select(4, [0, 1, 2, 3]).untilEnd, true);
    assert.deepEqual(select(4, [2, 3]).untilEnd, true);
    assert.deepEqual(select(4, [3]).untilEnd, true);
    assert.deepEqual(select(4, [1, 3]).untilEnd, false);
    assert.deepEqual(select(4, [1, 2]).untilEnd, false);
  });

  it('that are empty, out of range or not rising are refused by name', () => {
    for (const steps of [0, -1, 51, 1.5, NaN]) {
      assert.throws(() => select(steps, null), {
        field: 'num_inference_steps',
        message: `must be a whole number from 1 to 50 for LCMScheduler, not ${steps}`,
      });
    }
    for (const [list, message] of [
      [[], 'must contain at least one position'],
      [[4], 'must contain whole numbers from 0 to 3 (num_inference_steps - 1), not 4'],
      [[-1], 'must contain whole numbers from 0 to 3 (num_inference_steps - 1), not -1'],
      [[0, 1.5], 'must contain whole numbers from 0 to 3 (num_inference_steps - 1), not 1.5'],
      [[1, 1], 'must rise, but 1 follows 1'],
      [[0, 3, 2], 'must rise, but 2 follows 3'],
    ] as const) {
      assert.throws(() => select(4, list), { field: 't_index_list', message });
    }
  });

  it('must lead to timesteps that fall, within the training', () => {
    const schedule = { alphasCumprod: new Float64Array(10) };
    const check = (...timesteps: readonly number[]): void =>
      checkTimesteps(timesteps, schedule, defaultOptions);
    check(9, 5, 0);
    check(0);
    for (const wrong of [
      [10, 5],
      [5, -1],
      [5, 5],
      [4, 5],
      [9, 3, 3],
    ]) {
      assert.throws(() => check(...wrong), {
        field: 'num_inference_steps',
        message: /distinct timesteps from 0 to 9 with LCMScheduler .* which 20 does not$/,
      });
    }
  });
});
