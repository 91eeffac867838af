import type { Image, Size } from './image.js';

/** How much of each pixel may change, from 0 (the input stays) to 255: one byte per pixel, row by row. */
export interface Mask extends Size {
  readonly data: Uint8Array<ArrayBuffer>;
}

/** A shape in a picture; all lengths are shares of the picture's sides, and x and y those of its middle. */
export interface MaskShape {
  readonly kind: 'ellipse' | 'rectangle';
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

/** Lines per row of pixels with which shapes are drawn, for smooth edges. */
const linesPerRow = 4;
/** Means of means fall off smoothly. */
const blurs = 2;

/** Draws a shape: 255 inside. */
export function drawMask(shape: MaskShape, { width, height }: Size): Mask {
  const data = new Uint8Array(width * height);
  const middle = shape.x * width;
  const row = new Float64Array(width);
  for (let y = 0; y < height; y++) {
    row.fill(0);
    for (let line = 0; line < linesPerRow; line++) {
      const half = halfWidth(shape, (y + (line + 0.5) / linesPerRow) / height) * width;
      const [left, right] = [Math.max(middle - half, 0), Math.min(middle + half, width)];
      for (let x = Math.floor(left); x < right; x++) {
        row[x] = (row[x] ?? 0) + Math.min(x + 1, right) - Math.max(x, left);
      }
    }
    for (let x = 0; x < width; x++) data[y * width + x] = Math.round((255 * (row[x] ?? 0)) / linesPerRow);
  }
  return { width, height, data };
}

/** Returns half of the width of a shape at a height y of the picture, as a share of the picture's width. */
function halfWidth({ kind, y: middle, width, height }: MaskShape, y: number): number {
  const part = Math.abs(y - middle) / (height / 2);
  if (!(part <= 1)) return 0;
  return (width / 2) * (kind === 'ellipse' ? Math.sqrt(1 - part ** 2) : 1);
}

/** Swaps what may change and what stays. */
export function invertMask({ data }: Mask): void {
  for (let i = 0; i < data.length; i++) data[i] = 255 - (data[i] ?? 0);
}

/**
 * Makes the edges of a mask soft. At the border of the picture it continues as it ends there.
 * @param share width of a soft edge, half of it outside, as a share of the picture's shorter side.
 */
export function featherMask({ width, height, data }: Mask, share: number): void {
  // Each mean widens an edge by its radius, on both sides.
  const radius = Math.round((share * Math.min(width, height)) / (2 * blurs));
  if (radius === 0) return;
  const line = new Uint8Array(Math.max(width, height) + 2 * radius + 1);
  for (let blur = 0; blur < blurs; blur++) {
    for (let y = 0; y < height; y++)
      blurLine(data, { start: y * width, step: 1, count: width }, radius, line);
    for (let x = 0; x < width; x++) blurLine(data, { start: x, step: width, count: height }, radius, line);
  }
}

interface Line {
  readonly start: number;
  readonly step: number;
  readonly count: number;
}

/** Replaces each value of a line by the mean of those at most `radius` away. @param line memory for a longer copy. */
function blurLine(data: Uint8Array, { start, step, count }: Line, radius: number, line: Uint8Array): void {
  const span = 2 * radius + 1;
  line.fill(data[start] ?? 0, 0, radius);
  for (let i = 0; i < count; i++) line[radius + i] = data[start + i * step] ?? 0;
  line.fill(data[start + (count - 1) * step] ?? 0, radius + count, count + span);
  let sum = 0;
  for (let i = 0; i < span; i++) sum += line[i] ?? 0;
  for (let i = 0; i < count; i++) {
    // Rounded.
    data[start + i * step] = Math.floor((sum + radius) / span);
    sum += (line[i + span] ?? 0) - (line[i] ?? 0);
  }
}

// Pictures are mixed in whole numbers, since this runs between the calls of a device.

/** Puts the input back into a result: (1 - mask) input + mask result, and exactly the input where the mask is 0. */
export function restorePixels(result: Uint8Array | Uint8ClampedArray, input: Image, { data }: Mask): void {
  for (let i = 0, p = 0; i < data.length; i++, p += 3) {
    const share = data[i] ?? 0;
    if (share === 255) continue;
    for (let c = p; c < p + 3; c++) {
      const sum = share * (result[c] ?? 0) + (255 - share) * (input.data[c] ?? 0) + 128;
      // Divides by 255 and rounds, exactly for all sums that occur.
      result[c] = (sum + (sum >> 8)) >> 8;
    }
  }
}

/**
 * Mixes a picture with another one: (1 - share) input + share other; with a mask, as far as the input may change.
 * @param out receives the mixture.
 */
export function mixPixels(
  out: Uint8Array,
  { input, other, share }: { readonly input: Uint8Array; readonly other: Uint8Array; readonly share: number },
  mask: Mask | null,
): void {
  // In units of 1 / 65536, for each value of the mask.
  const parts = Int32Array.from({ length: 256 }, (_, level) => Math.round((65_536 * share * level) / 255));
  for (let i = 0, p = 0; p < out.length; i++, p += 3) {
    const part = parts[mask ? (mask.data[i] ?? 0) : 255] ?? 0;
    for (let c = p; c < p + 3; c++) {
      const from = input[c] ?? 0;
      out[c] = from + ((part * ((other[c] ?? 0) - from) + 32_768) >> 16);
    }
  }
}
