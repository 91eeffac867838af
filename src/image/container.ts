import { ImageError } from './image.js';

/** How the stored pixels have to be turned to be upright: the value of the Orientation tag (Exif 3.0, 4.6.5.1.6). */
export type Orientation = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

/** The parts of a file that a decoder needs for the pixels, and nothing else. */
export interface Essence {
  readonly file: Uint8Array;
  /** Whether a colour profile has to be applied to more than 8 bits a channel. */
  readonly deepProfile: boolean;
}

/** What is known of a picture before anything is decoded. */
export interface Container {
  /** Size of the stored pixels, which `orientation` may turn. */
  readonly width: number;
  readonly height: number;
  readonly orientation: Orientation;
  /**
   * Leaves out texts, thumbnails, metadata and further images, which a decoder might expand to any size. To be called
   * once the size is known to be within the limits.
   * @throws {ImageError} if decoding would cost far more than the pixels are worth.
   */
  readonly essence: () => Promise<Essence>;
}

/**
 * Counts the parts (chunks, segments) of a file while it is walked.
 * @returns a function to call for each part, which throws an ImageError when there are more than any encoder writes.
 */
export function partCounter(bytes: Uint8Array): () => void {
  let left = 1000 + bytes.length / 512;
  return () => {
    left -= 1;
    if (left < 0) throw new ImageError('the image is in too many parts');
  };
}

export function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
