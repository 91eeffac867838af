import type { Size } from './sizes.js';

/** One channel of a picture: the value of pixel i, row by row, is at `first + i * step`. */
export interface Channel extends Size {
  readonly values: ArrayLike<number>;
  readonly first: number;
  readonly step: number;
}

/** Where each pixel of a side lies between two pixels of another: `low`, `high`, and its share of the second. */
interface Axis {
  readonly low: Int32Array;
  readonly high: Int32Array;
  readonly share: Float32Array;
}

/** Resizes a channel, bilinear between the centres of pixels. @param out height * width values. */
export function resample({ values, first, step, ...from }: Channel, to: Size, out: Float32Array): void {
  const columns = axis(from.width, to.width);
  const rows = axis(from.height, to.height);
  const at = (row: number, column: number): number => values[first + (row * from.width + column) * step] ?? 0;
  for (let y = 0, i = 0; y < to.height; y++) {
    const [above = 0, below = 0, down = 0] = [rows.low[y], rows.high[y], rows.share[y]];
    for (let x = 0; x < to.width; x++, i++) {
      const left = columns.low[x] ?? 0;
      const right = columns.high[x] ?? 0;
      const across = columns.share[x] ?? 0;
      const top = at(above, left) * (1 - across) + at(above, right) * across;
      const bottom = at(below, left) * (1 - across) + at(below, right) * across;
      out[i] = top * (1 - down) + bottom * down;
    }
  }
}

/** Returns for each pixel of a side the nearest one of another. */
export function nearest(from: number, to: number): Int32Array {
  return Int32Array.from({ length: to }, (_, i) => Math.floor(((i + 0.5) * from) / to));
}

function axis(from: number, to: number): Axis {
  const low = new Int32Array(to);
  const high = new Int32Array(to);
  const share = new Float32Array(to);
  for (let i = 0; i < to; i++) {
    const place = Math.min(Math.max(((i + 0.5) * from) / to - 0.5, 0), from - 1);
    low[i] = Math.floor(place);
    high[i] = Math.min(Math.floor(place) + 1, from - 1);
    share[i] = place - Math.floor(place);
  }
  return { low, high, share };
}
