import { ImageError } from './image.js';

/** How the stored pixels must be turned to be upright: the value of the Orientation tag (Exif 3.0, 4.6.5.1.6). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** Only those parts of a file that a decoder needs for the pixels. */
export interface Essence {
  readonly file: Uint8Array;
  /** Whether a colour profile must be applied to more than 8 bits per channel. */
  readonly deepProfile: boolean;
}

/** The facts about a picture that are known before it is decoded. */
export interface Container {
  /** Size of the stored pixels, before they are turned by `orientation`. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /**
   * Removes texts, thumbnails, metadata and further images, which a decoder might expand to any size. Call it only
   * after checking the size.
   * @throws {ImageError} if decoding would cost far more than is usual for the size.
   */
  readonly essence: () => Promise<Essence>;
}

/**
 * Counts the parts (chunks, segments) of a file while it is read.
 * @returns a function to call for each part; it throws an ImageError if there are more than any encoder writes.
 */
export function partCounter(bytes: Uint8Array): () => void {
  let left = 1000 + bytes.length / 512;
  return () => {
    left -= 1;
    if (left < 0) throw new ImageError('the image has too many parts');
  };
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
