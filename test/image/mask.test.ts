import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  drawMask,
  featherMask,
  invertMask,
  mixPixels,
  restorePixels,
  type Mask,
} from '../../src/image/mask.js';

/** Returns a row of a mask. */
function row({ width, data }: Mask, y: number): readonly number[] {
  return [...data.subarray(y * width, (y + 1) * width)];
}

function column({ width, height, data }: Mask, x: number): readonly number[] {
  return Array.from({ length: height }, (_, y) => data[y * width + x] ?? -1);
}

const middle = { x: 0.5, y: 0.5, width: 0.5, height: 0.5 };

describe('a drawn mask', () => {
  it('of a rectangle is full inside and empty outside', () => {
    const mask = drawMask({ kind: 'rectangle', ...middle }, { width: 8, height: 4 });
    assert.deepEqual(row(mask, 0), [0, 0, 0, 0, 0, 0, 0, 0]);
    assert.deepEqual(row(mask, 1), [0, 0, 255, 255, 255, 255, 0, 0]);
    assert.deepEqual(row(mask, 2), row(mask, 1));
    assert.deepEqual(row(mask, 3), row(mask, 0));
  });

  it('covers pixels in part', () => {
    const shape = { kind: 'rectangle', x: 0.5, y: 0.5, width: 0.25, height: 0.25 } as const;
    assert.deepEqual(row(drawMask(shape, { width: 2, height: 2 }), 0), [16, 16], 'a sixteenth');
  });

  it('of an ellipse has its area, in a picture of any shape', () => {
    const [width, height] = [200, 100];
    const mask = drawMask({ kind: 'ellipse', ...middle }, { width, height });
    const area = mask.data.reduce((sum, share) => sum + share / 255, 0);
    const wanted = (Math.PI / 4) * 0.5 * width * 0.5 * height;
    assert.ok(Math.abs(area / wanted - 1) < 0.005, `${area} instead of ${wanted}`);
    assert.equal(mask.data[50 * width + 100], 255);
    assert.equal(mask.data[27 * width + 52], 0, 'no corner');
  });

  it('is cut off at the border, and may be empty or all', () => {
    const size = { width: 4, height: 4 };
    const corner = drawMask({ kind: 'rectangle', x: 0, y: 1, width: 1, height: 1 }, size);
    assert.deepEqual(
      [row(corner, 1), row(corner, 2)],
      [
        [0, 0, 0, 0],
        [255, 255, 0, 0],
      ],
    );
    for (const kind of ['ellipse', 'rectangle'] as const) {
      for (const none of [{ width: 0 }, { height: 0 }]) {
        assert.ok(drawMask({ kind, ...middle, ...none }, size).data.every((share) => share === 0));
      }
    }
    const whole = drawMask({ kind: 'rectangle', ...middle, width: 1, height: 1 }, size);
    assert.ok(whole.data.every((share) => share === 255));
  });

  it('can be inverted', () => {
    const mask = drawMask({ kind: 'rectangle', ...middle }, { width: 4, height: 4 });
    invertMask(mask);
    assert.deepEqual(
      [row(mask, 0), row(mask, 1)],
      [
        [255, 255, 255, 255],
        [255, 0, 0, 255],
      ],
    );
  });
});

describe('a feathered mask', () => {
  it('rises over the given share of the shorter side, half of it outside', () => {
    const mask = drawMask({ kind: 'rectangle', ...middle }, { width: 200, height: 100 });
    featherMask(mask, 0.2);
    const across = row(mask, 50);
    // The edge at 50, and 20 pixels in all.
    assert.deepEqual([across[39], across[60]], [0, 255]);
    assert.ok(across.slice(41, 59).every((share) => share > 0 && share < 255));
    assert.ok(
      across.slice(40, 60).every((share, i, edge) => i === 0 || share >= (edge[i - 1] ?? 0)),
      'rises',
    );
    assert.ok(Math.abs((across[49] ?? 0) + (across[50] ?? 0) - 255) <= 2, 'even on both sides');
    const down = column(mask, 100);
    assert.deepEqual([down[14], down[35]], [0, 255]);
  });

  it('stays as it is where it is even, also at the border, and without feather', () => {
    const size = { width: 60, height: 40 };
    for (const value of [0, 77, 255]) {
      const mask = { ...size, data: new Uint8Array(60 * 40).fill(value) };
      featherMask(mask, 0.5);
      assert.ok(mask.data.every((share) => share === value));
    }
    const hard = drawMask({ kind: 'ellipse', ...middle }, size);
    const before = [...hard.data];
    featherMask(hard, 0);
    assert.deepEqual([...hard.data], before);
    const half = drawMask({ kind: 'rectangle', x: 0, y: 0.5, width: 1, height: 1 }, size);
    featherMask(half, 0.2);
    assert.deepEqual([column(half, 0)[0], column(half, 0)[39]], [255, 255], 'no fading at the border');
  });

  it('can be wider than the picture', () => {
    const mask = drawMask({ kind: 'rectangle', ...middle }, { width: 3, height: 64 });
    featherMask(mask, 0.5);
    assert.equal(mask.data.length, 3 * 64);
  });
});

describe('a result with a mask', () => {
  it('is exactly the input at 0, itself at 255, and a mixture between', () => {
    const data = Uint8Array.of(0, 255, 51);
    const mask = { width: 3, height: 1, data };
    const input = Uint8Array.of(1, 2, 3, 4, 5, 6, 100, 200, 0);
    const result = Uint8Array.of(250, 251, 252, 253, 254, 255, 200, 100, 255);
    restorePixels(result, input, mask);
    assert.deepEqual([...result], [1, 2, 3, 253, 254, 255, 120, 180, 51]);
  });

  it('is the same wherever its runs of pixels, and its memory, begin and end', () => {
    const shares = [
      0, 0, 0, 0, 0, 255, 255, 255, 255, 255, 255, 9, 0, 0, 0, 0, 255, 255, 255, 255, 0, 200, 0,
    ];
    for (let offset = 0; offset < 4; offset++) {
      for (let first = 0; first < shares.length; first++) {
        const data = Uint8Array.from(shares.slice(first));
        const bytes = (start: number): Uint8Array =>
          Uint8Array.from({ length: offset + 3 * data.length }, (_, i) => start + i).subarray(offset);
        const [result, input] = [bytes(100), bytes(17)];
        const wanted = Array.from(result, (byte, i) => {
          const share = data[Math.floor(i / 3)] ?? -1;
          return Math.round((share * byte + (255 - share) * (input[i] ?? -1)) / 255);
        });
        restorePixels(result, input, { width: data.length, height: 1, data });
        assert.deepEqual([...result], wanted, `from ${first}, offset ${offset}`);
      }
    }
  });
});

it('mixtures are rounded to the nearest byte, for all shares and bytes', () => {
  const input = Uint8Array.from({ length: 770 }, (_, i) => i % 256);
  for (let share = 0; share < 256; share++) {
    const other = input.map((_, i) => (i * 37) % 256);
    const mixture = (most: number): readonly number[] =>
      Array.from(other, (byte, i) =>
        Math.floor((share * byte + (most - share) * (input[i] ?? -1)) / most + 0.5),
      );
    const mixed = new Uint8Array(770);
    mixPixels(mixed, { input, other, share: share / 256 }, null);
    assert.deepEqual([...mixed], mixture(256), `${share}`);
    const wanted = mixture(255).slice(0, 768);
    const result = other.subarray(0, 768);
    restorePixels(result, input, { width: 256, height: 1, data: new Uint8Array(256).fill(share) });
    assert.deepEqual([...result], wanted, `${share}`);
  }
});

describe('mixed pictures', () => {
  const input = Uint8Array.of(0, 100, 200, 40, 40, 40);
  const other = Uint8Array.of(100, 0, 200, 80, 0, 255);

  it('have a share of the other picture', () => {
    const out = new Uint8Array(6);
    mixPixels(out, { input, other, share: 0.25 }, null);
    assert.deepEqual([...out], [25, 75, 200, 50, 30, 94]);
  });

  it('have it as far as the mask lets the input change', () => {
    const out = new Uint8Array(6);
    mixPixels(out, { input, other, share: 0.5 }, { width: 2, height: 1, data: Uint8Array.of(0, 255) });
    assert.deepEqual([...out], [0, 100, 200, 60, 20, 148]);
  });
});
