import { fileURLToPath } from 'node:url';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../src/video/ffmpeg.js';
import type { VideoFrame } from '../../src/video/read.js';

export const ffmpeg = await findFfmpeg(process.env, new AbortController().signal);

/** Path of a file of the test data. */
export function fixturePath(path: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${path}`, import.meta.url));
}

/** All frames of a reader, each with its own memory. */
export async function collect(frames: AsyncIterable<VideoFrame>): Promise<VideoFrame[]> {
  const all: VideoFrame[] = [];
  for await (const { image, time } of frames)
    all.push({ image: { ...image, data: image.data.slice() }, time });
  return all;
}

/** Checksums of the encoded sound in a file, packet by packet. */
export async function soundOf(path: string): Promise<string[]> {
  const args = ['-v', 'error', '-i', path, '-map', '0:a', '-c', 'copy', '-f', 'framecrc', '-'];
  const { stdout } = await promisify(execFile)(ffmpeg.path, args);
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',')[5]?.trim() ?? '');
}
