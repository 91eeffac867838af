import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lumaOf, type Grid } from '../../src/diffusion/motion.js';
import { MovingNoise } from '../../src/diffusion/moving-noise.js';
import { SeededNoise, type WeightedSeed } from '../../src/diffusion/noise.js';
import { decodeImage } from '../../src/image/decode.js';
import { tower } from '../image/pictures.js';
import { grid, scene } from './scene.js';

const channels = 4;
const count = grid.height * grid.width;
const shape = [channels, grid.height, grid.width] as const;
const seeds: readonly WeightedSeed[] = [{ seed: 3, weight: 1 }];

/** Returns the share of values that are those of another noise, moved by whole cells. */
function agreement(
  now: Float32Array,
  before: Float32Array,
  dx: number,
  dy: number,
  { width, height }: Grid = grid,
): number {
  let [equal, all] = [0, 0];
  for (let at = 0; at < now.length; at++) {
    const [x, y] = [at % width, Math.floor(at / width) % height];
    if (x - dx < 0 || x - dx >= width || y - dy < 0 || y - dy >= height) continue;
    all += 1;
    if (now[at] === before[at - dy * width - dx]) equal += 1;
  }
  return equal / all;
}

function varianceOf(values: Float32Array): number {
  return values.reduce((sum, value) => sum + value * value, 0) / values.length;
}

describe('noise that moves with the picture', () => {
  it('begins as fixed noise, and stays so while the picture is still', () => {
    const noise = new MovingNoise(seeds, shape);
    const fixed = new SeededNoise(seeds, channels * count, 0);
    for (let frame = 0; frame < 5; frame++) {
      noise.follow(frame, scene(1, 0, 0));
      for (const stage of [0, 1]) assert.deepEqual(noise.at(stage, frame), fixed.at(stage, frame));
    }
    assert.deepEqual(noise.start(7), fixed.start(7));
  });

  it('moves by as many cells as the picture, in all stages and channels', () => {
    for (const [dx, dy] of [
      [1, 0],
      [0, -2],
      [-2, 1],
    ]) {
      const noise = new MovingNoise(seeds, shape);
      noise.follow(0, scene(1, 0, 0));
      const before = [0, 1].map((stage) => noise.at(stage, 0).slice());
      noise.follow(1, scene(1, -dx, -dy));
      for (const stage of [0, 1]) {
        const share = agreement(noise.at(stage, 1), before[stage], dx, dy);
        assert.ok(share > 0.95, `${dx}, ${dy}: ${share}`);
      }
      assert.ok(agreement(noise.at(0, 1), before[1], dx, dy) < 0.01);
    }
  });

  it('keeps up with a slow pan, an eighth of a cell per frame', () => {
    const noise = new MovingNoise(seeds, shape);
    noise.follow(0, scene(2, 0, 0));
    const before = noise.at(0, 0).slice();
    for (let frame = 1; frame <= 64; frame++) {
      noise.follow(frame, scene(2, -frame / 8, 0));
      if (frame % 16 !== 0) continue;
      const share = agreement(noise.at(0, frame), before, frame / 8, 0);
      assert.ok(share > 0.8, `after ${frame} frames ${share} of the noise has moved with the picture`);
    }
  });

  it('keeps up with a photo that pans by a few pixels per frame', async () => {
    const photo = await decodeImage(tower, { maxPixels: 1 << 20 });
    const [side, factor] = [256, 8];
    const cells = { width: side / factor, height: side / factor };
    const noise = new MovingNoise(seeds, [channels, cells.height, cells.width]);
    const before = noise.at(0, 0).slice();
    let moved = 0;
    for (let frame = 0; frame <= 64; frame++) {
      const view = new Uint8Array(side * side * 3);
      for (let y = 0; y < side; y++) {
        const from = ((y + 64) * photo.width + 3 * frame) * 3;
        view.set(photo.data.subarray(from, from + side * 3), y * side * 3);
      }
      noise.follow(frame, lumaOf(view, { width: side, height: side }, factor, cells));
      if (frame % 16 !== 0 || frame === 0) continue;
      // The picture moves to the left.
      moved = (-3 * frame) / factor;
      const share = agreement(noise.at(0, frame), before, moved, 0, cells);
      assert.ok(share > 0.7, `after ${-moved} cells ${share} of the noise has moved with the picture`);
    }
    assert.equal(moved, -24);
  });

  it('stays unit Gaussian over 1,000 frames of any motion', () => {
    const noise = new MovingNoise(seeds, shape);
    let [sum, correlation] = [0, 0];
    for (let frame = 0; frame < 1000; frame++) {
      // Pans around, and cuts now and then.
      noise.follow(
        frame,
        scene(1 + Math.floor(frame / 300), 9 * Math.sin(frame / 7), 9 * Math.cos(frame / 9)),
      );
      const values = noise.at(0, frame);
      const variance = varianceOf(values);
      sum += variance;
      correlation +=
        values.reduce((sum, value, at) => sum + value * values[(at + 1) % values.length], 0) / values.length;
      assert.ok(Math.abs(variance - 1) < 0.15, `frame ${frame}: ${variance}`);
      if (frame % 50 === 0)
        assert.equal(new Set(noise.state([]).draws).size, count, 'no cell is there twice');
    }
    assert.ok(Math.abs(sum / 1000 - 1) < 0.02, `mean variance ${sum / 1000}`);
    assert.ok(Math.abs(correlation / 1000) < 0.02, `mean correlation of neighbours ${correlation / 1000}`);
  });

  it('stays unchanged at a cut', () => {
    const noise = new MovingNoise(seeds, shape);
    noise.follow(0, scene(1, 0, 0));
    const before = noise.at(0, 0).slice();
    let frame = 1;
    for (; frame < 20; frame++) {
      noise.follow(frame, scene(50, 0, 0));
      assert.deepEqual(noise.at(0, frame), before);
    }
    noise.follow(frame, scene(50, -1, 0));
    assert.ok(agreement(noise.at(0, frame), before, 1, 0) > 0.95, 'it moves with the new picture');
  });

  it('is for each frame under way as it was when that frame entered', () => {
    const noise = new MovingNoise(seeds, shape);
    const when: Float32Array[] = [];
    for (let frame = 0; frame < 6; frame++) {
      noise.follow(frame, scene(1, -frame, 0));
      when.push(noise.at(1, frame).slice());
    }
    for (const frame of [2, 5, 3]) assert.deepEqual(noise.at(1, frame), when[frame]);
    assert.deepEqual(noise.at(1, 99), when[5], 'a frame without a picture has the newest');
  });

  it('is kept for frames under way, however many, and for no others', () => {
    const noise = new MovingNoise(seeds, shape);
    const all = Array.from({ length: 100 }, (_, ordinal) => ordinal);
    const kept = (): readonly number[] => noise.state(all).earlier.map(({ ordinal }) => ordinal);
    for (const frame of all.slice(0, -1)) noise.follow(frame, scene(1, -frame, 0), 20);
    assert.deepEqual(kept(), all.slice(20, -1));
    noise.follow(99, scene(1, -99, 0), 99);
    assert.deepEqual(kept(), [99]);
  });

  it('blends seeds at unit variance, also where cells come into the picture', () => {
    const noise = new MovingNoise(
      [
        { seed: 1, weight: 3 },
        { seed: 2, weight: 4 },
        { seed: 5, weight: 0 },
      ],
      shape,
    );
    for (let frame = 0; frame < 40; frame++) noise.follow(frame, scene(1, -frame, 0));
    const values = noise.at(0, 39);
    assert.ok(Math.abs(varianceOf(values) - 1) < 0.1, `${varianceOf(values)}`);
    const one = new MovingNoise([{ seed: 1, weight: 1 }], shape);
    for (let frame = 0; frame < 40; frame++) one.follow(frame, scene(1, -frame, 0));
    const other = one.at(0, 39);
    const correlation = values.reduce((sum, value, at) => sum + value * other[at], 0) / values.length;
    assert.ok(Math.abs(correlation - 0.6) < 0.1, `${correlation}`);
  });

  it('continues elsewhere from its state, with the frames under way', () => {
    const here = new MovingNoise(seeds, shape);
    for (let frame = 0; frame < 10; frame++) here.follow(frame, scene(1, -frame, 0));
    const there = new MovingNoise(seeds, shape);
    there.restore(here.state([8, 9]));
    for (const frame of [8, 9]) assert.deepEqual(there.at(1, frame), here.at(1, frame));
    for (let frame = 10; frame < 14; frame++) {
      for (const noise of [here, there]) noise.follow(frame, scene(1, -frame, 0));
      assert.ok(agreement(there.at(0, frame), here.at(0, frame), 0, 0) > 0.98);
    }
    const { draws } = here.state([]);
    there.restore(here.state([]));
    here.follow(14, scene(1, -14, 0));
    assert.deepEqual(there.state([]).draws, draws, 'the state is a copy');
  });

  it('ignores a state of another size', () => {
    const small = new MovingNoise(seeds, [4, 8, 8]);
    const noise = new MovingNoise(seeds, shape);
    const before = noise.at(0, 0).slice();
    noise.restore(small.state([]));
    assert.deepEqual(noise.at(0, 0), before);
  });
});
