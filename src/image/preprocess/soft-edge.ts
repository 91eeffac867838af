import type { Allocate, Image } from '../image.js';
import { sobel } from './gradient.js';

/** The gradient of an edge by a quarter of the range: in pictures without stronger edges, it is white. */
const leastWhite = 4 * 64;

/**
 * Draws how much a picture changes at each pixel, from black to white where it changes most: the length of Sobel's
 * gradient.
 */
export function softEdge(image: Image, allocate: Allocate): Image {
  const { width, height } = image;
  const { stride, dx, dy, norm } = sobel(image);
  let most = leastWhite;
  for (let row = 1; row <= height; row++) {
    for (let at = row * stride + 1, end = at + width; at < end; at++) {
      // The length is at most |dx| + |dy|.
      if ((norm[at] ?? 0) > most) most = Math.max(most, lengthOf(dx[at] ?? 0, dy[at] ?? 0));
    }
  }
  const data = allocate(width * height * 3);
  for (let row = 1, p = 0; row <= height; row++) {
    for (let at = row * stride + 1, end = at + width; at < end; at++, p += 3) {
      const value = Math.round((255 * lengthOf(dx[at] ?? 0, dy[at] ?? 0)) / most);
      data[p] = data[p + 1] = data[p + 2] = value;
    }
  }
  return { width, height, data };
}

function lengthOf(x: number, y: number): number {
  return Math.sqrt(x * x + y * y);
}
