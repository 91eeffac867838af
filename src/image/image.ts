/** Pixels of one image: RGB, one byte per channel, row by row; `data` has at least width * height * 3 bytes. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** How a picture is fitted to another shape: fill and crop, fit and pad, or distort. */
export type Fit = 'cover' | 'contain' | 'stretch';

/** In pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** A target size, and how a picture is fitted to it. */
export interface Box extends Size {
  readonly fit: Fit;
}

/** Allocates memory for pixels, at least `bytes` long. */
export type Allocate = (bytes: number) => Uint8Array<ArrayBuffer>;

/** A file that cannot be used as a picture; the message is one readable line. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}

/** @throws {ImageError} if a picture has more than `maxPixels`. */
export function checkPixels({ width, height }: Size, maxPixels: number): void {
  if (width * height <= maxPixels) return;
  throw new ImageError(`the image is too large: ${width}x${height} pixels, the limit is ${maxPixels}`);
}
