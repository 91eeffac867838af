import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lumaOf, motionBetween, sourcesOf, type Motion } from '../../src/diffusion/motion.js';
import { Gaussian } from '../../src/diffusion/gaussian.js';
import { grid, scene } from './scene.js';
import { cases } from '../support/properties.js';

/** Returns the share of all cells that have this motion. */
function share({ dx, dy }: Motion, x: number, y: number): number {
  return dx.filter((value, cell) => value === x && dy[cell] === y).length / dx.length;
}

function found(motion: Motion | null): Motion {
  assert.ok(motion, 'the motion is found');
  return motion;
}

describe('the motion between two pictures', () => {
  it('is that of a pan by whole cells, nearly everywhere', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: -3, max: 3 }),
        fc.integer({ min: 1, max: 1000 }),
        (x, y, seed) => {
          const motion = found(motionBetween(scene(seed, 0, 0), scene(seed, -x, -y), grid));
          // At the edges there may be nothing to compare with.
          const wanted = Math.abs(x) > 2 || Math.abs(y) > 2 ? 0.8 : 0.97;
          assert.ok(share(motion, x, y) >= wanted, `${x}, ${y}: ${share(motion, x, y)}`);
        },
      ),
      { numRuns: cases(40) },
    );
  });

  it('is that of the nearest whole cells', () => {
    const motion = found(motionBetween(scene(3, 0, 0), scene(3, -1.8, -0.2), grid));
    assert.ok(share(motion, 2, 0) > 0.9);
  });

  it('is none in a still picture, also with some noise of the camera and a change of light', () => {
    const before = scene(5, 0, 0);
    const random = new Gaussian(1);
    const now = before.map((value) => value + random.next() + 4);
    for (const picture of [before, now])
      assert.ok(share(found(motionBetween(before, picture, grid)), 0, 0) > 0.99);
  });

  it('is that of the pan where a picture is too plain to tell', () => {
    const plain = (values: Float32Array): Float32Array =>
      values.map((value, cell) => (Math.floor(cell / grid.width) < 8 ? 200 : value));
    const motion = found(motionBetween(plain(scene(7, 0, 0)), plain(scene(7, -2, 0)), grid));
    assert.ok(share(motion, 2, 0) > 0.9);
    assert.deepEqual([motion.dx[0], motion.known[0]], [2, 0]);
  });

  it('is none at a plain wall behind a small thing that moves', () => {
    const thing = (left: number): Float32Array =>
      scene(9, -left, 0).map((value, cell) => {
        const [x, y] = [(cell % grid.width) - left, Math.floor(cell / grid.width)];
        return x >= 0 && x < 6 && y >= 8 && y < 14 ? value : 200;
      });
    const motion = found(motionBetween(thing(10), thing(13), grid));
    assert.deepEqual([motion.dx[0], motion.dx[20 * grid.width + 30]], [0, 0]);
    assert.equal(motion.dx[10 * grid.width + 15], 3);
  });

  it('is null after a cut', () => {
    for (let seed = 1; seed < 20; seed++) {
      assert.equal(motionBetween(scene(seed, 0, 0), scene(seed + 100, 0, 0), grid), null, `seed ${seed}`);
      const noise = (key: number): Float32Array => {
        const random = new Gaussian(seed, key);
        return Float32Array.from({ length: grid.width * grid.height }, () => 255 * random.uniform());
      };
      assert.equal(motionBetween(noise(1), noise(2), grid), null, `noise ${seed}`);
    }
  });

  it('is none between plain pictures, and in pictures of a few cells', () => {
    const black = new Float32Array(grid.width * grid.height);
    assert.equal(
      share(
        found(
          motionBetween(
            black,
            black.map(() => 255),
            grid,
          ),
        ),
        0,
        0,
      ),
      1,
    );
    for (const [width, height] of [
      [1, 1],
      [1, 7],
      [7, 1],
      [3, 2],
    ]) {
      const values = scene(2, 0, 0, { width, height });
      assert.equal(share(found(motionBetween(values, values, { width, height })), 0, 0), 1);
    }
  });
});

describe('the sources of cells', () => {
  it('are those that a pan moves to them; what comes into the picture has none', () => {
    const count = grid.width * grid.height;
    const motion = {
      dx: new Int8Array(count).fill(2),
      dy: new Int8Array(count).fill(-1),
      known: new Uint8Array(count),
    };
    const sources = sourcesOf(motion, grid);
    for (let y = 0; y < grid.height; y++) {
      for (let x = 0; x < grid.width; x++) {
        const inside = x >= 2 && y + 1 < grid.height;
        assert.equal(sources[y * grid.width + x], inside ? (y + 1) * grid.width + x - 2 : -1);
      }
    }
  });

  it('are all different, whatever the motion', () => {
    const size = { width: 9, height: 7 };
    const motions = fc.array(fc.integer({ min: -4, max: 4 }), { minLength: 63, maxLength: 63 });
    fc.assert(
      fc.property(motions, motions, (dx, dy) => {
        const motion = { dx: Int8Array.from(dx), dy: Int8Array.from(dy), known: new Uint8Array(63) };
        const used = [...sourcesOf(motion, size)].filter((source) => source >= 0);
        assert.equal(new Set(used).size, used.length);
        assert.ok(used.every((source) => source < 63));
      }),
    );
  });
});

describe('the brightness of cells', () => {
  it('is the mean of their pixels, weighted by colour', () => {
    const pixels = Uint8Array.from({ length: 4 * 2 * 3 }, (_, i) =>
      Math.floor(i / 3) % 4 < 2 ? 100 : [255, 0, 0][i % 3],
    );
    const luma = lumaOf(pixels, { width: 4, height: 2 }, 2, { width: 2, height: 1 });
    assert.deepEqual(
      [...luma].map((value) => Math.round(value * 10) / 10),
      [100, 76.7],
    );
  });

  it('is that at the edge beyond the picture, and that of fewer pixels where a cell is cut', () => {
    const pixels = Uint8Array.from({ length: 3 * 3 * 3 }, (_, i) => 10 * Math.floor(i / 3));
    const luma = lumaOf(pixels, { width: 3, height: 3 }, 2, { width: 4, height: 3 });
    assert.deepEqual([...luma], [20, 35, 35, 35, 65, 80, 80, 80, 65, 80, 80, 80]);
  });
});
