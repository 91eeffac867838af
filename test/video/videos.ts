import { fileURLToPath } from 'node:url';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { findFfmpeg } from '../../src/video/ffmpeg.js';
import type { VideoFrame } from '../../src/video/read.js';

/** The packaged ffmpeg: the same on every machine. */
export const ffmpeg = await findFfmpeg({}, new AbortController().signal);

/** Returns the path of a test data file. */
export function fixturePath(path: string): string {
  return fileURLToPath(new URL(`../../../test/fixtures/${path}`, import.meta.url));
}

/** Collects all frames of a reader, each in its own memory. */
export async function collect(frames: AsyncIterable<VideoFrame>): Promise<VideoFrame[]> {
  const all: VideoFrame[] = [];
  for await (const { image, time } of frames)
    all.push({ image: { ...image, data: image.data.slice() }, time });
  return all;
}

/** Runs ffmpeg. Returns its standard output. */
export async function runFfmpeg(...args: string[]): Promise<string> {
  const [program, ...first] = ffmpeg.command;
  const options = { maxBuffer: 1 << 28 };
  const { stdout } = await promisify(execFile)(program, [...first, '-v', 'error', ...args], options);
  return stdout;
}

/** Returns the checksums of the encoded sound packets in a file. */
export async function soundOf(path: string): Promise<string[]> {
  const stdout = await runFfmpeg(
    '-i',
    `file:${path}`,
    '-map',
    '0:a',
    '-c',
    'copy',
    '-f',
    'framecrc',
    'pipe:1',
  );
  return stdout
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split(',')[5]?.trim() ?? '');
}
