import jpegTurbo from '@julusian/jpeg-turbo';
import sharp from 'sharp';
import { jpegScans, jpegSize, sniffFormat } from './format.js';
import { type Allocate, type Image, ImageError } from './image.js';
import { readPixels } from './vips.js';

export interface DecodeOptions {
  /** Larger images are refused by their header, before anything is decoded. */
  readonly maxPixels: number;
  /** Gives the memory for the pixels; new memory by default. */
  readonly allocate?: Allocate;
  /**
   * Whether EXIF orientation turns the picture, as viewers of photos do. Off by default: frames of live video
   * come as they are to be shown, and looking for it costs more than the decoding.
   */
  readonly orient?: boolean;
}

/** Progressive JPEGs have about ten; a few bytes more for each would keep a decoder busy for hours. */
const MAX_SCANS = 64;

/**
 * Decodes a JPEG, PNG or WebP picture (of an animation the first image) to RGB; transparent parts become black.
 * `bytes` may not be changed or transferred before the promise settles.
 * @throws {ImageError} for anything that is no whole picture of at most `maxPixels`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions): Promise<Image> {
  const { maxPixels, allocate = (length) => new Uint8Array(length), orient = false } = options;
  const format = sniffFormat(bytes);
  if (format === null) throw new ImageError('the data is no JPEG, PNG or WebP image');
  if (format === 'jpeg') {
    const size = jpegSize(bytes);
    checkSize(size, maxPixels);
    if (jpegScans(bytes) > MAX_SCANS) throw new ImageError(`the JPEG has more than ${MAX_SCANS} scans`);
    const image = orient ? null : await decodeJpeg(bytes, size, allocate);
    if (image) return image;
  }
  return decodeAny(bytes, { maxPixels, allocate, orient }, format);
}

/** The quick way for ordinary JPEGs; null for those that need libvips (CMYK) or have damage to be looked at closer. */
async function decodeJpeg(
  bytes: Uint8Array,
  size: { readonly width: number; readonly height: number },
  allocate: Allocate,
): Promise<Image | null> {
  const data = allocate(size.width * size.height * 3);
  try {
    const format = jpegTurbo.FORMAT_RGB;
    const { width, height } = await jpegTurbo.decompress(asBuffer(bytes), asBuffer(data), { format });
    return { width, height, data };
  } catch {
    return null;
  }
}

async function decodeAny(
  bytes: Uint8Array,
  options: Required<DecodeOptions>,
  format: string,
): Promise<Image> {
  const { maxPixels, allocate, orient } = options;
  // Stray bytes between JPEG segments, as many webcams send them, are only warnings; missing data is not.
  const source = sharp(bytes, { failOn: 'truncated', limitInputPixels: false, sequentialRead: true });
  try {
    checkSize(await source.metadata(), maxPixels);
    return await readPixels(orient ? source.autoOrient() : source, allocate);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
    throw new ImageError(`the ${format.toUpperCase()} image cannot be decoded: ${reason}`, { cause: error });
  }
}

function checkSize(size: { readonly width: number; readonly height: number }, maxPixels: number): void {
  const { width, height } = size;
  if (width === 0 || height === 0) throw new ImageError(`the image is empty: ${width}x${height} pixels`);
  if (width * height > maxPixels) {
    throw new ImageError(`the image is too large: ${width}x${height} pixels, the limit is ${maxPixels}`);
  }
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
