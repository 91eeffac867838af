import sharp from 'sharp';
import type { Sharp } from 'sharp';
import type { Allocate, Image } from './image.js';

// Frames never come twice, so libvips would keep results that nobody asks for again.
sharp.cache(false);
// One thread for each picture: how many are decoded at the same time is the caller's to say, who shares it out.
sharp.concurrency(1);

/** Opens pixels in memory with sharp, without copying them. */
export function openPixels(image: Image): Sharp {
  const { width, height, data } = image;
  return sharp(data.subarray(0, width * height * 3), { raw: { width, height, channels: 3 } });
}

/** Runs a sharp pipeline into RGB pixels in memory from `allocate`. */
export async function readPixels(pipeline: Sharp, allocate: Allocate): Promise<Image> {
  const { data: pixels, info } = await pipeline
    .flatten()
    .toColourspace('srgb')
    .raw({ depth: 'uchar' })
    .toBuffer({ resolveWithObject: true });
  if (info.channels !== 3) throw new Error(`sharp gave ${info.channels} channels instead of 3`);
  const data = allocate(pixels.length);
  data.set(pixels);
  return { width: info.width, height: info.height, data };
}
