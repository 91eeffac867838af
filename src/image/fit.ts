import type { Sharp } from 'sharp';
import { type Allocate, type Fit, type Image, ImageError, type Size } from './image.js';
import { openPixels, readPixels } from './vips.js';

const vipsFit = { cover: 'cover', contain: 'contain', stretch: 'fill' } as const;

/**
 * Brings a picture to a size: `cover` fills it and crops the middle, `contain` shows all of it between black bars,
 * `stretch` distorts. A picture of that size is returned itself, without a copy.
 * `image.data` may not be changed or transferred before the promise settles.
 * @param allocate gives the memory for the pixels; new memory by default.
 * @throws {ImageError} if that cannot be done.
 */
export async function fitImage(
  image: Image,
  size: Size,
  fit: Fit,
  allocate: Allocate = (bytes) => new Uint8Array(bytes),
): Promise<Image> {
  const { width, height } = size;
  if (image.width === width && image.height === height) return image;
  try {
    return await readPixels(withFit(openPixels(image), size, fit), allocate);
  } catch (error) {
    const sizes = `from ${image.width}x${image.height} to ${width}x${height} pixels`;
    throw new ImageError(`the image cannot be resized ${sizes}`, { cause: error });
  }
}

/**
 * Brings what a sharp pipeline gives to a size.
 * @param fastest whether the decoder may leave nothing to resize: right for WebP, but libjpeg's smallest looks coarse.
 */
export function withFit(pipeline: Sharp, { width, height }: Size, fit: Fit, fastest = false): Sharp {
  return pipeline.resize(width, height, {
    fit: vipsFit[fit],
    background: '#000',
    // A third of the time of Lanczos; noise is added to the picture anyway.
    kernel: 'linear',
    fastShrinkOnLoad: fastest,
  });
}
