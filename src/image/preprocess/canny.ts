import type { Allocate, Image } from '../image.js';
import { sobel, type Gradient } from './gradient.js';

/**
 * Thresholds for the gradient, |dx| + |dy|, as users of ControlNet know them. A line begins where it is above `high`,
 * and continues while it is above `low`.
 */
const low = 100;
const high = 200;

/** tan(22.5 degrees), in units of 1 / 2^15: rounded as OpenCV does. */
const tan22 = 13573;

const weak = 1;
const edge = 2;

/** What is known of each pixel, and those on edges in the order in which they were found. */
let marks = new Uint8Array(0);
let found = new Int32Array(0);

/**
 * Draws the edges of a picture as white lines on black (Canny 1986), pixel by pixel as `cv2.Canny(picture, 100, 200)`
 * does, with which the ControlNets were trained: so without a blur before it.
 */
export function canny(image: Image, allocate: Allocate): Image {
  const { width, height } = image;
  const gradient = sobel(image);
  const { stride, norm } = gradient;
  const { length } = norm;
  if (marks.length < length) {
    marks = new Uint8Array(length);
    found = new Int32Array(length);
  }
  marks.fill(0, 0, length);
  const count = grow(markCrests(gradient, width, height), stride);
  const data = allocate(width * height * 3).fill(0, 0, width * height * 3);
  for (let i = 0; i < count; i++) {
    const at = found[i] ?? 0;
    const row = Math.floor(at / stride) - 1;
    const p = (row * width + (at % stride) - 1) * 3;
    data[p] = data[p + 1] = data[p + 2] = 255;
  }
  return { width, height, data };
}

/**
 * Marks the pixels whose gradient is the greatest across their edge.
 * @returns how many of them are above the high threshold: the first in `found`.
 */
function markCrests({ stride, dx, dy, norm }: Gradient, width: number, height: number): number {
  let count = 0;
  for (let row = 1; row <= height; row++) {
    for (let at = row * stride + 1, end = at + width; at < end; at++) {
      const n = norm[at] ?? 0;
      if (n <= low || !isCrest(n, at, dx[at] ?? 0, dy[at] ?? 0, stride, norm)) continue;
      if (n > high) {
        marks[at] = edge;
        found[count++] = at;
      } else marks[at] = weak;
    }
  }
  return count;
}

/** Returns whether no neighbour across the edge has a greater gradient. Of two equal ones, the first counts. */
function isCrest(n: number, at: number, x: number, y: number, stride: number, norm: Int16Array): boolean {
  const across = Math.abs(x) * tan22;
  const down = Math.abs(y) << 15;
  if (down < across) return n > (norm[at - 1] ?? 0) && n >= (norm[at + 1] ?? 0);
  // tan(67.5 degrees) is tan(22.5 degrees) + 2.
  if (down > across + (Math.abs(x) << 16)) {
    return n > (norm[at - stride] ?? 0) && n >= (norm[at + stride] ?? 0);
  }
  const side = (x ^ y) < 0 ? -1 : 1;
  return n > (norm[at - stride - side] ?? 0) && n > (norm[at + stride + side] ?? 0);
}

/** Continues edges along the weak crests that touch them. @returns the number of pixels on edges. */
function grow(count: number, stride: number): number {
  const around = [-stride - 1, -stride, -stride + 1, -1, 1, stride - 1, stride, stride + 1];
  let total = count;
  for (let i = 0; i < total; i++) {
    const at = found[i] ?? 0;
    for (const offset of around) {
      if (marks[at + offset] !== weak) continue;
      marks[at + offset] = edge;
      found[total++] = at + offset;
    }
  }
  return total;
}
