import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Orientation } from '../../src/image/container.js';
import type { Box, Fit } from '../../src/image/image.js';
import { boxBeforeTurn, turnUpright } from '../../src/image/turn.js';

describe('turnUpright', () => {
  it('moves every pixel as Exif defines', async () => {
    // Exif 3.0, table 6: which pixels of 0 1 2 / 3 4 5 are seen, row by row.
    const seen: Readonly<Record<Orientation, readonly string[]>> = {
      1: ['012', '345'],
      2: ['210', '543'],
      3: ['543', '210'],
      4: ['345', '012'],
      5: ['03', '14', '25'],
      6: ['30', '41', '52'],
      7: ['52', '41', '30'],
      8: ['25', '14', '03'],
    };
    const data = Uint8Array.from({ length: 18 }, (_, i) => 40 * Math.floor(i / 3) + (i % 3));
    for (const [orientation, rows] of Object.entries(seen)) {
      const image = { width: 3, height: 2, data };
      const upright = await turnUpright(
        image,
        Number(orientation) as Orientation,
        (bytes) => new Uint8Array(bytes),
      );
      assert.deepEqual([upright.width, upright.height], [rows[0]?.length, rows.length], orientation);
      const wanted = rows
        .flatMap((row) => row.split(''))
        .flatMap((pixel) => [0, 1, 2].map((i) => 40 * Number(pixel) + i));
      assert.deepEqual([...upright.data], wanted, orientation);
      assert.equal(upright === image, orientation === '1');
    }
  });
});

describe('boxBeforeTurn', () => {
  const before = (fit: Fit, box: readonly number[], stored = [200, 120], orientation: Orientation = 3) => {
    const [[width = 0, height = 0], [storedWidth = 0, storedHeight = 0]] = [box, stored];
    const size = { width: storedWidth, height: storedHeight };
    const result = boxBeforeTurn(size, orientation, { width, height, fit });
    return result && `${result.fit} ${result.width}x${result.height}`;
  };

  it('returns the box itself if the picture is upright', () => {
    const box: Box = { width: 999, height: 3, fit: 'cover' };
    assert.equal(boxBeforeTurn({ width: 5, height: 5 }, 1, box), box);
  });

  it('swaps the sides for pictures that lie on their side', () => {
    for (const orientation of [2, 3, 4] as const)
      assert.equal(before('stretch', [60, 50], [200, 120], orientation), 'stretch 60x50');
    for (const orientation of [5, 6, 7, 8] as const)
      assert.equal(before('stretch', [60, 50], [200, 120], orientation), 'stretch 50x60');
    assert.equal(before('contain', [60, 50], [200, 120], 6), 'stretch 50x30');
  });

  it('returns null if the picture would be enlarged or keep a side', () => {
    assert.equal(before('cover', [200, 60]), null);
    assert.equal(before('cover', [199, 60]), 'cover 199x61');
    assert.equal(before('cover', [100, 120]), null);
    assert.equal(before('stretch', [100, 120]), null);
    assert.equal(before('stretch', [250, 60]), null);
    assert.equal(before('contain', [200, 120]), null);
    assert.equal(before('contain', [200, 119]), 'stretch 198x119');
    assert.equal(before('contain', [400, 240]), null);
  });

  it('excludes the bars, which are added afterwards', () => {
    assert.equal(before('contain', [100, 120]), 'stretch 100x60');
    assert.equal(before('contain', [120, 30]), 'stretch 50x30');
    assert.equal(before('contain', [100, 60], [201, 120]), 'stretch 100x60');
    assert.equal(before('contain', [10, 10], [1000, 20]), 'stretch 10x1');
    assert.equal(before('contain', [10, 10], [20, 1000]), 'stretch 1x10');
  });

  it('leaves an even number of pixels to crop, half at each side', () => {
    for (const [width, even] of [
      [50, 50],
      [51, 52],
      [52, 52],
      [53, 54],
    ] as const) {
      assert.equal(before('cover', [width, 60]), `cover ${even}x60`);
    }
    for (const [height, even] of [
      [28, 28],
      [29, 30],
      [30, 30],
      [31, 32],
    ] as const) {
      assert.equal(before('cover', [100, height]), `cover 100x${even}`);
    }
  });
});
