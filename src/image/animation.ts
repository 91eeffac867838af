import sharp from 'sharp';
import { asBuffer } from './container.js';
import { checkPixels, type Image } from './image.js';
import { chunksOf } from './png.js';
import { decodeError, readPixels } from './vips.js';

/** A WebP file with several pictures. */
export interface Animation {
  /** How long each picture is shown, in milliseconds. */
  readonly delays: readonly number[];
  /** Yields the pictures in order, each complete, transparent parts black. @throws {ImageError} */
  frames(): AsyncGenerator<Image, void, void>;
}

/** Each call starts again at the first picture, so it decodes several, of at most this many bytes together. */
const maxBytes = 64 << 20;

/** Browsers show pictures with a delay of at most this for a tenth of a second. */
const leastDelayMs = 10;
const usualDelayMs = 100;

/**
 * Opens an animated WebP.
 * @returns null if it has a single picture.
 * @throws {ImageError} if the file is not a valid WebP or its pictures have more than `maxPixels`.
 */
export async function openAnimatedWebp(bytes: Uint8Array, maxPixels: number): Promise<Animation | null> {
  const options = { failOn: 'truncated', limitInputPixels: false } as const;
  const { pages = 1, width, height, delay = [] } = await withImageError(sharp(bytes, options).metadata());
  if (pages === 1) return null;
  checkPixels({ width, height }, maxPixels);
  const atOnce = Math.max(1, Math.floor(maxBytes / (width * height * 3)));
  return {
    delays: Array.from({ length: pages }, (_, index) => {
      const ms = delay[index] ?? 0;
      return ms <= leastDelayMs ? usualDelayMs : ms;
    }),
    async *frames() {
      for (let page = 0; page < pages; page += atOnce) {
        const count = Math.min(atOnce, pages - page);
        const source = sharp(bytes, { ...options, page, pages: count });
        const strip = await withImageError(readPixels(source, (length) => new Uint8Array(length)));
        const size = width * height * 3;
        for (let index = 0; index < count; index++) {
          yield { width, height, data: strip.data.subarray(index * size, (index + 1) * size) };
        }
      }
    },
  };
}

/** Returns whether a PNG has several pictures: a chunk acTL before the pixels (PNG, third edition, 11.3.6). */
export function isAnimatedPng(bytes: Uint8Array): boolean {
  for (const { type, content } of chunksOf(asBuffer(bytes))) {
    if (type === 'acTL') return content.length >= 4 && content.readUInt32BE() > 1;
    if (type === 'IDAT') return false;
  }
  return false;
}

async function withImageError<T>(result: Promise<T>): Promise<T> {
  try {
    return await result;
  } catch (error) {
    throw decodeError('WEBP', error);
  }
}
