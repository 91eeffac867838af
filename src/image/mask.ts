import type { Size } from './image.js';

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

/**
 * Puts the input back into a result: (1 - mask) input + mask result, and exactly the input where the mask is 0. This runs
 * between the calls of a device: in whole numbers, and for four pixels at a time where all of them stay or may change.
 */
export function restorePixels(result: Uint8Array, input: Uint8Array, mask: Mask): void {
  const [shares, to, from] = [asWords(mask.data), asWords(result), asWords(input)];
  const count = to.length > 0 && from.length > 0 ? shares.length : 0;
  for (let word = 0; word < count;) {
    const four = shares[word] ?? 0;
    let end = word + 1;
    while (end < count && shares[end] === four) end += 1;
    if (four === 0) to.set(from.subarray(3 * word, 3 * end), 3 * word);
    else if (four !== all) restoreEach(result, input, mask, 4 * word, 4 * end);
    word = end;
  }
  restoreEach(result, input, mask, 4 * count, mask.data.length);
}

/** Four bytes of 255. */
const all = -1;

/** Returns bytes as words of four; the last ones may be left out, and all if they do not start at a word. */
function asWords({ buffer, byteOffset, length }: Uint8Array): Int32Array {
  return byteOffset % 4 === 0 ? new Int32Array(buffer, byteOffset, length >> 2) : new Int32Array(0);
}

function restoreEach(
  result: Uint8Array,
  input: Uint8Array,
  { data: mask }: Mask,
  start: number,
  end: number,
): void {
  for (let i = start; i < end; i++) {
    const share = mask[i] ?? 0;
    if (share === 255) continue;
    for (let c = 3 * i; c < 3 * i + 3; c++) {
      const sum = share * (result[c] ?? 0) + (255 - share) * (input[c] ?? 0) + 128;
      // Divides by 255 and rounds, exactly for all sums that occur.
      result[c] = (sum + (sum >> 8)) >> 8;
    }
  }
}

/** Every second byte of a word. */
const evenBytes = 0x00_ff_00_ff;
/** For rounding, a half of 256 in each of them. */
const halves = 0x00_80_00_80;

/**
 * Mixes a picture with another one: (1 - share) input + share other, with the share rounded to 1/256; with a mask, as far
 * as the input may change.
 * @param out receives the mixture.
 */
export function mixPixels(
  out: Uint8Array,
  { input, other, share }: { readonly input: Uint8Array; readonly other: Uint8Array; readonly share: number },
  mask: Mask | null,
): void {
  const part = Math.round(256 * share);
  const rest = 256 - part;
  const [to, a, b] = [asWords(out), asWords(input), asWords(other)];
  const words = a.length > 0 && b.length > 0 ? to.length : 0;
  for (let i = 0; i < words; i++) {
    const x = a[i] ?? 0;
    const y = b[i] ?? 0;
    // Two bytes in one multiplication: each has room for its products.
    const even = Math.imul(x & evenBytes, rest) + Math.imul(y & evenBytes, part) + halves;
    const odd = Math.imul((x >>> 8) & evenBytes, rest) + Math.imul((y >>> 8) & evenBytes, part) + halves;
    to[i] = ((even >>> 8) & evenBytes) | (odd & ~evenBytes);
  }
  for (let i = 4 * words; i < out.length; i++) {
    out[i] = ((input[i] ?? 0) * rest + (other[i] ?? 0) * part + 128) >> 8;
  }
  if (mask) restorePixels(out, input, mask);
}
