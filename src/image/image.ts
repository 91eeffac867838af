/** Pixels of one image: RGB, one byte a channel, row by row; `data` has at least width * height * 3 bytes. */
export interface Image {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8Array<ArrayBuffer>;
}

/** How a picture of one shape goes into another: fill and crop, fit and pad, or distort. */
export type Fit = 'cover' | 'contain' | 'stretch';

/** Gives memory for pixels, at least `bytes` long. */
export type Allocate = (bytes: number) => Uint8Array<ArrayBuffer>;

/** Bytes that are no image that can be used; the message is one line for people. */
export class ImageError extends Error {
  override readonly name = 'ImageError';
}
