import type { Size } from './sizes.js';

/**
 * Converts interleaved RGB bytes, row by row, to planes for networks: [3, height, width], -1 to 1. Larger planes are
 * filled by repeating the last pixel of each row to the right, and the last row below.
 * @param out at least 3 * height * width values.
 */
export function bytesToPlanes(pixels: Uint8Array, picture: Size, planes: Size, out: Float32Array): void {
  const { width, height } = planes;
  const size = width * height;
  for (let y = 0; y < picture.height; y++) {
    let p = y * picture.width * 3;
    let i = y * width;
    for (const end = i + picture.width; i < end; i++, p += 3) {
      out[i] = (pixels[p] ?? 0) / 127.5 - 1;
      out[size + i] = (pixels[p + 1] ?? 0) / 127.5 - 1;
      out[2 * size + i] = (pixels[p + 2] ?? 0) / 127.5 - 1;
    }
    const end = (y + 1) * width;
    for (let plane = 0; plane < 3 * size; plane += size) {
      out.fill(out[plane + i - 1] ?? 0, plane + i, plane + end);
    }
  }
  for (let plane = 0; plane < 3 * size; plane += size) {
    const end = plane + picture.height * width;
    for (let to = end; to < plane + size; to += width) out.copyWithin(to, end - width, end);
  }
}

/**
 * Converts planes back to bytes: crops them to the picture and clamps values to -1 to 1.
 * @returns whether all values of the picture were finite.
 */
export function planesToBytes(
  planes: Float32Array,
  { width, height }: Size,
  picture: Size,
  out: Uint8ClampedArray,
): boolean {
  const size = width * height;
  // As in `allFinite`, without another pass over the values.
  let sum = 0;
  // Uint8ClampedArray rounds and clamps; NaN becomes 0.
  for (let y = 0, p = 0; y < picture.height; y++) {
    let i = y * width;
    for (const end = i + picture.width; i < end; i++, p += 3) {
      const red = planes[i] ?? 0;
      const green = planes[size + i] ?? 0;
      const blue = planes[2 * size + i] ?? 0;
      sum += red + green + blue;
      out[p] = (red + 1) * 127.5;
      out[p + 1] = (green + 1) * 127.5;
      out[p + 2] = (blue + 1) * 127.5;
    }
  }
  return Number.isFinite(sum);
}
