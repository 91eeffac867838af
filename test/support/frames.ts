import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from './reference.js';

/** Returns the pictures of a raw Motion JPEG file, in order. */
export function motionJpegFrames(name: string): readonly Uint8Array[] {
  const file = readFileSync(join(repositoryRoot, 'test/fixtures/videos', name));
  const frames: Uint8Array[] = [];
  let start = 0;
  while (start < file.length) {
    // No marker is inside coded data, and these files have no thumbnails.
    const end = file.indexOf(Buffer.of(0xff, 0xd9), start) + 2;
    if (end < 2) break;
    frames.push(new Uint8Array(file.subarray(start, end)));
    start = end;
  }
  return frames;
}
