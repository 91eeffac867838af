import { decodeImage, type DecodeOptions } from './decode.js';
import { encodeJpeg } from './encode.js';
import type { Image } from './image.js';

/** How the pictures of live video become pixels, and pixels pictures. */
export interface PictureCodec {
  /** @throws {ImageError} for anything that is not a whole picture of at most `maxPixels` and of a usual shape. */
  readonly decode: (bytes: Uint8Array, options: DecodeOptions) => Promise<Image>;
  /** @param quality 1 to 100. */
  readonly encode: (image: Image, quality: number) => Promise<Uint8Array<ArrayBuffer>>;
}

/** JPEG, PNG and WebP in, JPEG out. */
export const pictureCodec: PictureCodec = { decode: decodeImage, encode: encodeJpeg };
