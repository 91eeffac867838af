import { open, readdir, readFile, stat } from 'node:fs/promises';
import { basename, extname, join } from 'node:path';
import { decodeImage } from '../../image/decode.js';
import { sniffFormat } from '../../image/format.js';
import { type Image, ImageError } from '../../image/image.js';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import { probeVideo, type VideoInfo } from '../../video/probe.js';
import { readVideo } from '../../video/read.js';
import type { Rational, Timing } from '../../video/timing.js';
import { RunError } from './run-error.js';

/** Larger pictures are refused: more than 8K video, and most of the largest photos. */
const MAX_PIXELS = 200_000_000;

export interface InputFrame {
  /** The memory may be used again once the next frame is asked for. */
  readonly image: Image;
  /** When it is shown, in ticks of the input's timebase. */
  readonly time: number;
  /** File name of the picture, null for a frame of a video. */
  readonly name: string | null;
}

export interface Input extends Timing {
  readonly kind: 'video' | 'folder' | 'image';
  readonly path: string;
  /** How many frames are expected. */
  readonly total: number;
  readonly video: VideoInfo | null;
  /**
   * All frames, in order.
   * @param onDamage told at the end what was wrong with a video that could be decoded in part.
   * @throws {RunError | VideoError}
   */
  frames(onDamage?: (words: string) => void): AsyncIterable<InputFrame>;
}

export interface InputOptions {
  /** Looked for only when it is needed. */
  readonly ffmpeg: () => Promise<Ffmpeg>;
  /** Frames per second of pictures in a folder. */
  readonly rate: Rational;
}

/** Finds out what the input is: a video, a folder of pictures, or one picture. @throws {RunError | VideoError} */
export async function openInput(path: string, { ffmpeg, rate }: InputOptions): Promise<Input> {
  const found = await stat(path).catch(() => null);
  if (!found) throw new RunError(`there is no file or folder ${path}`);
  if (found.isDirectory()) return pictures('folder', path, await listPictures(path), rate);
  if (await isPicture(path)) return pictures('image', path, [path], rate);
  const program = await ffmpeg();
  const video = await probeVideo(program, path);
  const { timebase, rate: own, frames: total } = video;
  return {
    kind: 'video',
    path,
    total,
    video,
    timebase,
    rate: own,
    async *frames(onDamage) {
      for await (const frame of readVideo(program, video, MAX_PIXELS, onDamage))
        yield { ...frame, name: null };
    },
  };
}

/** A file of bare Motion JPEG begins like one picture. */
async function isPicture(path: string): Promise<boolean> {
  if (/^\.mjpe?g$/i.test(extname(path))) return false;
  await using file = await open(path);
  const { buffer } = await file.read({ buffer: Buffer.alloc(16) });
  return sniffFormat(buffer) !== null;
}

async function listPictures(folder: string): Promise<string[]> {
  const names = (await readdir(folder)).filter((name) => /\.(jpe?g|png|webp)$/i.test(name));
  if (names.length === 0) throw new RunError(`there is no JPEG, PNG or WebP image in ${folder}`);
  // 2.jpg comes before 10.jpg.
  const { compare } = new Intl.Collator('en', { numeric: true });
  return names.sort(compare).map((name) => join(folder, name));
}

function pictures(kind: 'folder' | 'image', path: string, files: readonly string[], rate: Rational): Input {
  const timebase = { numerator: rate.denominator, denominator: rate.numerator };
  return {
    kind,
    path,
    total: files.length,
    video: null,
    timebase,
    rate,
    async *frames() {
      for (const [time, file] of files.entries()) {
        yield { image: await readPicture(file), time, name: basename(file) };
      }
    },
  };
}

async function readPicture(file: string): Promise<Image> {
  try {
    return await decodeImage(await readFile(file), { maxPixels: MAX_PIXELS });
  } catch (error) {
    if (error instanceof ImageError) throw new RunError(`${file}: ${error.message}`, { cause: error });
    throw error;
  }
}
