import type { Size } from './sizes.js';

// Pictures are RGB bytes, row by row. Their rows are only copied here: what bytes mean is the matter of the graphs.

/**
 * Copies a picture into a larger one, which is filled by repeating the last pixel of each row to the right, and the last
 * row below.
 */
export function fillPicture(pixels: Uint8Array, picture: Size, filled: Size, out: Uint8Array): void {
  const [length, stride] = [3 * picture.width, 3 * filled.width];
  if (length === stride) out.set(pixels.subarray(0, length * picture.height));
  else fillRows(pixels, picture, stride, out);
  const last = (picture.height - 1) * stride;
  for (let y = picture.height; y < filled.height; y++) out.copyWithin(y * stride, last, last + stride);
}

function fillRows(pixels: Uint8Array, { width, height }: Size, stride: number, out: Uint8Array): void {
  const length = 3 * width;
  for (let y = 0; y < height; y++) {
    const [start, end] = [y * stride, (y + 1) * stride];
    out.set(pixels.subarray(y * length, (y + 1) * length), start);
    for (let to = start + length; to < end; to += 3) out.copyWithin(to, to - 3, to);
  }
}

/** Copies the part of a larger picture that `fillPicture` copied from. */
export function cropPicture(pixels: Uint8Array, filled: Size, picture: Size, out: Uint8Array): void {
  const [length, stride] = [3 * picture.width, 3 * filled.width];
  if (length === stride) return out.set(pixels.subarray(0, length * picture.height));
  for (let y = 0; y < picture.height; y++) {
    out.set(pixels.subarray(y * stride, y * stride + length), y * length);
  }
}
