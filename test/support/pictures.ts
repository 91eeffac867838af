import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeImage } from '../../src/image/decode.js';
import { encodeJpeg } from '../../src/image/encode.js';
import { fitImage } from '../../src/image/fit.js';
import type { Image } from '../../src/image/image.js';
import { repositoryRoot } from './reference.js';

/** Returns the frames of a real video, cropped and scaled to a size. */
export async function realFrames(width: number, height: number): Promise<Image[]> {
  const bytes = await readFile(join(repositoryRoot, 'test/fixtures/videos/walkers.mjpeg'));
  const frames = await Promise.all(splitJpegs(bytes).map((jpeg) => decodeImage(jpeg, { maxPixels: 1e6 })));
  return Promise.all(frames.map((frame) => fitImage(frame, { width, height }, 'cover')));
}

/** Returns the same frames as JPEG files. */
export async function realJpegs(width: number, height: number): Promise<Uint8Array[]> {
  const frames = await realFrames(width, height);
  return Promise.all(frames.map((frame) => encodeJpeg(frame, 85)));
}

/** Returns the files of a raw Motion JPEG stream: each begins with the marker SOI and ends with EOI. */
function splitJpegs(bytes: Uint8Array): Uint8Array[] {
  const files: Uint8Array[] = [];
  let start = -1;
  for (let i = 0; i + 1 < bytes.length; i++) {
    if (bytes[i] !== 0xff) continue;
    if (bytes[i + 1] === 0xd8 && start < 0) start = i;
    if (bytes[i + 1] === 0xd9 && start >= 0) {
      files.push(bytes.subarray(start, i + 2));
      start = -1;
    }
  }
  return files;
}
