import sharp from 'sharp';
import type { Sharp } from 'sharp';
import { type Allocate, type Image, ImageError } from './image.js';

// Frames do not repeat, so cached results would never be used.
sharp.cache(false);
// One thread per picture: callers decide how many are decoded at the same time.
sharp.concurrency(1);

/** Opens pixels in memory with sharp, without copying them. */
export function openPixels(image: Image): Sharp {
  const { width, height, data } = image;
  return sharp(data.subarray(0, width * height * 3), { raw: { width, height, channels: 3 } });
}

/** Returns the opacity of a picture as grey: white where it is opaque, but black if it is opaque all over. */
export async function opacityOf(picture: Sharp): Promise<Sharp> {
  const { data, info } = await picture
    .ensureAlpha()
    .extractChannel('alpha')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  const { width, height } = info;
  if (data.every((opacity) => opacity === 255)) data.fill(0);
  return sharp(data, { raw: { width, height, channels: 1 } });
}

/** Makes the error for a picture that libvips could not decode. @param format its name in the message. */
export function decodeError(format: string, error: unknown): ImageError {
  const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error);
  return new ImageError(`the ${format} image cannot be decoded: ${reason}`, { cause: error });
}

/** Runs a sharp pipeline and returns its RGB pixels in memory from `allocate`. */
export async function readPixels(pipeline: Sharp, allocate: Allocate): Promise<Image> {
  const { data: pixels, info } = await pipeline
    .flatten()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`sharp returned ${info.channels} channels instead of 3`);
  const data = allocate(pixels.length);
  data.set(pixels);
  return { width: info.width, height: info.height, data };
}
