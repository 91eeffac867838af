import { decodeImage, type DecodeOptions } from './decode.js';
import { encodeJpeg } from './encode.js';
import type { Image } from './image.js';
import { encodePreview } from './preview.js';

/**
 * Decodes and encodes the pictures of live video. Each picture stands alone, as any may be dropped before it is decoded
 * or after it is encoded: a codec that refers to other pictures does not fit here.
 */
export interface PictureCodec {
  /** @throws {ImageError} if the picture is invalid, incomplete, too thin or has more than `maxPixels`. */
  readonly decode: (bytes: Uint8Array, options: DecodeOptions) => Promise<Image>;
  /** @param quality 1 to 100. */
  readonly encode: (image: Image, quality: number) => Promise<Uint8Array<ArrayBuffer>>;
  /** Encodes a small copy. */
  readonly encodePreview: (image: Image) => Promise<Uint8Array<ArrayBuffer>>;
}

/** JPEG, PNG and WebP in, JPEG out. */
export const pictureCodec: PictureCodec = { decode: decodeImage, encode: encodeJpeg, encodePreview };
