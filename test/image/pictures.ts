import { readFileSync } from 'node:fs';
import type { Image } from '../../src/image/image.js';

/** Reads test data of the repository; the URL is relative to the built tests. */
function fixture(path: string): Buffer {
  return readFileSync(new URL(`../../../test/fixtures/${path}`, import.meta.url));
}

/** A photo of 512x384 pixels: blue sky at the left, a yellow tower at the right. */
export const tower = fixture('images/tower.jpg');

/** Returns the mean colour of a rectangle. */
export function meanColour(image: Image, left = 0, top = 0, width = image.width, height = image.height) {
  const sum: [number, number, number] = [0, 0, 0];
  for (let y = top; y < top + height; y++) {
    for (let x = left; x < left + width; x++) {
      const at = (y * image.width + x) * 3;
      for (const channel of [0, 1, 2] as const) sum[channel] += image.data[at + channel] ?? 0;
    }
  }
  return sum.map((value) => value / (width * height));
}

/** Returns the mean absolute difference of two pictures of equal size, per channel value of 0 to 255. */
export function meanDifference(a: Image, b: Image): number {
  const length = a.width * a.height * 3;
  let sum = 0;
  for (let i = 0; i < length; i++) sum += Math.abs((a.data[i] ?? 0) - (b.data[i] ?? 0));
  return sum / length;
}
