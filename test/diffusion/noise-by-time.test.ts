import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brownianTime } from '../../src/diffusion/brownian.js';
import { MovingNoise } from '../../src/diffusion/moving-noise.js';
import { SeededNoise } from '../../src/diffusion/noise.js';
import { advance } from './fake-unet.js';
import { grid, scene } from './scene.js';
import { createStream, frameLatent, type StreamOptions } from './streams.js';

const seeds = [{ seed: 3, weight: 1 }];
const times = [0.9, 0.6, 0.2];

function correlation(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [both, first, second] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    both += a[i] * b[i];
    first += a[i] ** 2;
    second += b[i] ** 2;
  }
  return both / Math.sqrt(first * second);
}

/** Returns the latent of the first frame. */
function draw(options: StreamOptions): Float32Array {
  const stream = createStream(options);
  stream.admit(0, frameLatent(0));
  for (;;) {
    const [[, latent] = []] = advance(stream);
    if (latent) return latent;
  }
}

function distance(a: Float32Array, b: Float32Array): number {
  return Math.hypot(...a.map((value, i) => value - b[i]));
}

/** Returns that many positions of a schedule of 50, from the tenth on. */
function positions(count: number): number[] {
  return Array.from({ length: count }, (_, i) => 10 + Math.floor((40 * i) / count));
}

describe('noise by time', () => {
  it('starts as before: only what is added between stages is another', () => {
    const [by, plain] = [times, null].map((given) => new SeededNoise(seeds, 1000, 0, given));
    assert.deepEqual(by.at(0, 0), plain.at(0, 0));
    assert.deepEqual(by.start(4), plain.start(4));
    for (const stage of [1, 2, 3]) {
      assert.ok(Math.abs(correlation(by.at(stage, 0), plain.at(stage, 0))) < 0.15);
      const size = Math.hypot(...by.at(stage, 0)) / Math.sqrt(1000);
      assert.ok(Math.abs(size - 1) < 0.1, `stage ${stage}: ${size}`);
    }
  });

  it('is correlated between plans as their steps overlap, and independent where they do not', () => {
    const length = 20_000;
    const fine = new SeededNoise(seeds, length, 0, [0.9, 0.6, 0.3]);
    const coarse = new SeededNoise(seeds, length, 0, [0.9, 0.3]);
    const between = (stage: number, other: number): number =>
      correlation(fine.at(stage, 0), coarse.at(other, 0));
    const near = (got: number, wanted: number): void => assert.ok(Math.abs(got - wanted) < 0.035, `${got}`);
    near(between(1, 1), Math.SQRT1_2);
    near(between(2, 1), Math.SQRT1_2);
    near(between(3, 2), 1);
    near(between(3, 1), 0);
    near(correlation(fine.at(1, 0), fine.at(2, 0)), 0);
  });

  it('drifts from path to path, and blends those of several seeds', () => {
    const drifting = new SeededNoise(seeds, 2000, 0.1, times);
    const frames = Array.from({ length: 11 }, (_, ordinal) => drifting.at(1, ordinal).slice());
    for (let i = 1; i < frames.length; i++) assert.ok(correlation(frames[i], frames[i - 1]) > 0.95);
    assert.ok(Math.abs(correlation(frames[0], frames[10])) < 0.1);
    const two = new SeededNoise([...seeds, { seed: 9, weight: 1 }], 2000, 0, times).at(1, 0);
    assert.ok(Math.abs(correlation(two, frames[0]) - Math.SQRT1_2) < 0.05);
  });

  it('moves with the picture, and what comes into it has paths, too', () => {
    const shape = [4, grid.height, grid.width] as const;
    const others = [0.9, 0.75, 0.2];
    const [moving, other] = [times, others].map((own) => {
      const noise = new MovingNoise(seeds, shape, own);
      noise.follow(0, scene(1, 0, 0));
      return noise;
    });
    const fixed = new SeededNoise(seeds, 4 * grid.width * grid.height, 0, times);
    const before = new Set(moving.at(2, 0));
    assert.deepEqual(new Set(fixed.at(2, 0)), before);
    for (const noise of [moving, other]) noise.follow(1, scene(1, 2, 0));
    const after = moving.at(2, 1).slice();
    const fresh = after.filter((value) => !before.has(value)).length;
    assert.ok(fresh >= 2 * 4 * grid.height && fresh < after.length / 4, `${fresh} fresh values`);
    // Plans follow one path: from the first stage to the third, the changes of both are the same.
    const change = (noise: MovingNoise, own: readonly number[], at: number): number =>
      noise.at(1, 1)[at] * Math.sqrt(own[0] - own[1]) + noise.at(2, 1)[at] * Math.sqrt(own[1] - own[2]);
    for (let at = 0; at < after.length; at++) {
      assert.ok(Math.abs(change(moving, times, at) - change(other, others, at)) < 1e-6);
    }
  });

  it('keeps the picture when the number of steps changes, with the same solver or another', () => {
    const random: readonly StreamOptions[] = [
      { solver: 'EulerAncestralDiscreteScheduler' },
      { solver: 'DPMSolverMultistepScheduler', algorithm: 'sde-dpmsolver++', order: 2 },
      { solver: 'DDIMScheduler', eta: 1 },
      { solver: 'FlowMatchEulerDiscreteScheduler', eta: 0.5 },
    ];
    /** Returns how far the pictures of two settings are apart, on average over seeds. */
    const apart = (one: StreamOptions, other: StreamOptions): number => {
      const distances = Array.from({ length: 8 }, (_, seed) =>
        distance(draw({ ...one, seed }), draw({ ...other, seed })),
      );
      return distances.reduce((sum, value) => sum + value, 0) / distances.length;
    };
    for (const solver of random) {
      const many = { ...solver, t_index_list: positions(20) };
      const few = { ...solver, t_index_list: positions(10) };
      const byTime = apart({ ...many, noiseByTime: true }, { ...few, noiseByTime: true });
      assert.ok(byTime < 0.5 * apart(many, few), `${solver.solver}: ${byTime}`);
    }
    const [many, few] = [
      { ...random[0], t_index_list: positions(20) },
      { ...random[2], t_index_list: positions(10) },
    ];
    const byTime = apart({ ...many, noiseByTime: true }, { ...few, noiseByTime: true });
    assert.ok(byTime < 0.8 * apart(many, few), `another solver: ${byTime}`);
  });

  it('has the same times for the same noise level in all solvers', () => {
    const timesOf = (options: StreamOptions): number[] =>
      createStream(options).plan.solver.stages.map(brownianTime);
    const [vp, exploding] = (['DDIMScheduler', 'EulerDiscreteScheduler'] as const).map((solver) =>
      timesOf({ solver, t_index_list: [18, 35] }),
    );
    for (const [i, time] of vp.entries()) assert.ok(Math.abs(time - exploding[i]) < 0.02);
  });
});
