import jpegTurbo from '@julusian/jpeg-turbo';
import sharp from 'sharp';
import { asBuffer, type Container, type Essence } from './container.js';
import { fitImage, withFit } from './fit.js';
import { type ImageFormat, sniffFormat } from './format.js';
import { type Allocate, type Box, checkPixels, type Image, ImageError, type Size } from './image.js';
import { type JpegContainer, readJpeg } from './jpeg.js';
import { readPng } from './png.js';
import { boxBeforeTurn, turnUpright } from './turn.js';
import { decodeError, opacityOf, readPixels } from './vips.js';
import { readWebp } from './webp.js';

export interface DecodeOptions {
  /** Larger images are refused by their header, before they are decoded. */
  readonly maxPixels: number;
  /** Fits the picture to a size, as `fitImage` does; large ones are then decoded at reduced size, which costs less. */
  readonly box?: Box;
  /** Called with the size by its header, once that is known to be allowed; may throw an ImageError. */
  readonly onSize?: (size: Size) => void;
  /** Allocates the memory for decoded and fitted pixels; new memory by default. */
  readonly allocate?: Allocate;
  /** Decodes the opacity instead of the colours, as grey: opaque parts become white, opaque pictures black. */
  readonly alpha?: true;
}

type Picture =
  ({ readonly format: 'jpeg' } & JpegContainer) | ({ readonly format: 'png' | 'webp' } & Container);

/** Largest allowed ratio of the longer side to the shorter. */
const maxAspect = 64;

/**
 * libjpeg decodes at a half, a quarter or an eighth of the size; a further factor of two is left for resizing, so that
 * the result looks the same.
 */
const scaledFrom = 4;

/**
 * Decodes a JPEG, PNG or WebP picture (the first image of an animation) to RGB, upright by its EXIF orientation;
 * transparent parts become black. `bytes` must not be changed or transferred before the promise settles.
 * @throws {ImageError} if the picture is invalid, incomplete, too thin or has more than `maxPixels`.
 */
export async function decodeImage(bytes: Uint8Array, options: DecodeOptions): Promise<Image> {
  const { maxPixels, box, onSize, alpha = false, allocate = newMemory } = options;
  const picture = readPicture(bytes);
  checkSize(picture, maxPixels);
  onSize?.(picture);
  const essence = await picture.essence();
  const { orientation } = picture;
  const plan = {
    picture,
    essence,
    box: box ? boxBeforeTurn(picture, orientation, box) : null,
    // Pixels that are turned afterwards go into the caller's memory only then.
    allocate: orientation === 1 ? allocate : newMemory,
    alpha,
  };
  const stored = (alpha ? null : await decodeFast(plan)) ?? (await decodeAny(plan));
  const upright = await turnUpright(stored, orientation, allocate);
  return box ? fitImage(upright, box, box.fit, allocate) : upright;
}

interface Plan {
  readonly picture: Picture;
  readonly essence: Essence;
  /** The target for the stored pixels, before they are turned. */
  readonly box: Box | null;
  readonly allocate: Allocate;
  readonly alpha: boolean;
}

function readPicture(bytes: Uint8Array): Picture {
  const format: ImageFormat | null = sniffFormat(bytes);
  switch (format) {
    case 'jpeg':
      return { format, ...readJpeg(bytes) };
    case 'png':
      return { format, ...readPng(bytes) };
    case 'webp':
      return { format, ...readWebp(bytes) };
    case null:
      throw new ImageError('the data is not a JPEG, PNG or WebP image');
  }
}

/**
 * Decodes ordinary JPEGs without libvips.
 * @returns null for those that need it: with other colours, much larger than the target, or damaged.
 */
async function decodeFast({ picture, essence, box, allocate }: Plan): Promise<Image | null> {
  if (picture.format !== 'jpeg' || !picture.plain || (box && shrink(picture, box) >= scaledFrom)) return null;
  const data = allocate(picture.width * picture.height * 3);
  try {
    const format = jpegTurbo.FORMAT_RGB;
    const { width, height } = await jpegTurbo.decompress(asBuffer(essence.file), asBuffer(data), { format });
    return { width, height, data };
  } catch {
    return null;
  }
}

async function decodeAny({ picture, essence, box, allocate, alpha }: Plan): Promise<Image> {
  try {
    // Only missing data is an error: a picture with other damage that libvips warns about is still usable.
    const source = sharp(essence.file, {
      failOn: 'truncated',
      limitInputPixels: false,
      sequentialRead: true,
    });
    // With 16 bits per channel sharp converts to P3 by the profile; this converts the result back to sRGB.
    if (essence.deepProfile) source.withIccProfile('srgb');
    const pixels = alpha ? await opacityOf(source) : source;
    return await readPixels(
      box ? withFit(pixels, box, box.fit, picture.format === 'webp') : pixels,
      allocate,
    );
  } catch (error) {
    throw decodeError(picture.format.toUpperCase(), error);
  }
}

/** Returns the factor by which the sides of a picture will shrink. */
function shrink({ width, height }: Container, box: Box): number {
  const [x, y] = [width / box.width, height / box.height];
  return box.fit === 'contain' ? Math.max(x, y) : Math.min(x, y);
}

function checkSize({ width, height }: Container, maxPixels: number): void {
  const size = `${width}x${height} pixels`;
  if (width === 0 || height === 0) throw new ImageError(`the image is empty: ${size}`);
  checkPixels({ width, height }, maxPixels);
  if (Math.max(width, height) > maxAspect * Math.min(width, height)) {
    throw new ImageError(
      `the image is too thin: ${size}, one side is more than ${maxAspect} times the other`,
    );
  }
}

function newMemory(bytes: number): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}
