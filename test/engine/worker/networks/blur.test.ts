import assert from 'node:assert/strict';
import { after, it } from 'node:test';
import { Blur } from '../../../../src/engine/worker/networks/blur.js';

const blur = await Blur.load(1);
after(() => blur[Symbol.asyncDispose]());

it('keeps the colours of regions, and nothing smaller than a twelfth of the picture', async () => {
  // Red on the left, blue on the right, with a pattern of stripes.
  const [width, height] = [96, 60];
  const data = new Uint8Array(3 * width * height);
  for (let i = 0; i < width * height; i++) {
    const stripe = i % 2 === 0 ? 255 : 0;
    data[3 * i + (i % width < width / 2 ? 0 : 2)] = stripe;
  }
  await blur.apply({ width, height, data });
  const at = (x: number, y: number): readonly number[] => [
    ...data.subarray(3 * (y * width + x), 3 * (y * width + x) + 3),
  ];
  for (const y of [0, 30, 59]) {
    assert.deepEqual(
      [at(5, y), at(90, y)],
      [
        [128, 0, 0],
        [0, 0, 128],
      ],
    );
    for (let x = 1; x < width; x++) {
      const steps = at(x, y).map((value, channel) => Math.abs(value - (at(x - 1, y)[channel] ?? NaN)));
      assert.ok(Math.max(...steps) <= 128 / 8 + 1, `no edge is left at ${x}, ${y}`);
    }
  }
});

it('blurs pictures of any size', async () => {
  for (const [width, height] of [
    [1, 1],
    [5, 200],
    [37, 23],
  ] as const) {
    const data = new Uint8Array(3 * width * height).fill(77);
    await blur.apply({ width, height, data });
    assert.ok(
      data.every((value) => value === 77),
      `${width}x${height}`,
    );
  }
});
