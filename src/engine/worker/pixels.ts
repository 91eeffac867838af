/**
 * RGB bytes, row by row with interleaved channels, to the planes that networks take: [3, height, width], -1 to 1.
 * @param out at least 3 * height * width values.
 */
export function bytesToPlanes(pixels: Uint8Array, size: number, out: Float32Array): void {
  for (let i = 0, p = 0; i < size; i++, p += 3) {
    out[i] = (pixels[p] ?? 0) / 127.5 - 1;
    out[size + i] = (pixels[p + 1] ?? 0) / 127.5 - 1;
    out[2 * size + i] = (pixels[p + 2] ?? 0) / 127.5 - 1;
  }
}

/** The reverse; values beyond -1 and 1 are clamped. */
export function planesToBytes(planes: Float32Array, size: number, out: Uint8ClampedArray): void {
  // A clamped array rounds and clamps by itself; NaN becomes 0.
  for (let i = 0, p = 0; i < size; i++, p += 3) {
    out[p] = ((planes[i] ?? 0) + 1) * 127.5;
    out[p + 1] = ((planes[size + i] ?? 0) + 1) * 127.5;
    out[p + 2] = ((planes[2 * size + i] ?? 0) + 1) * 127.5;
  }
}
