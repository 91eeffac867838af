import { open, readFile, stat } from 'node:fs/promises';
import { basename, extname } from 'node:path';
import { type Animation, isAnimatedPng, openAnimatedWebp } from '../../image/animation.js';
import { sniffFormat } from '../../image/format.js';
import { sniffHeif } from '../../image/heif.js';
import { ImageError } from '../../image/image.js';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import { probeVideo } from '../../video/probe.js';
import { readVideo, type VideoSource } from '../../video/read.js';
import { formatOptions } from '../../video/streams.js';
import { constantRate, timebaseOf, type Rational } from '../../video/timing.js';
import type { Input, InputFrame, InputOptions } from './input.js';
import { RunError } from './run-error.js';
import { maxPixels, readStill } from './still.js';

/** Opens a file: a video, an animation or one picture. @throws {RunError | VideoError} */
export async function openFile(path: string, { ffmpeg, rate, form, isLive }: InputOptions): Promise<Input> {
  const size = (await stat(path)).size;
  if (size === 0) throw new RunError(`${path} is empty`);
  if (form && form.format !== null) {
    return openVideo(await ffmpeg(), path, formatOptions(form), isLive ?? false);
  }
  const head = await readHead(path);
  if (sniffHeif(head) !== null) return openPicture(path, rate);
  // A raw Motion JPEG file begins like one picture.
  const format = /^\.mjpe?g$/i.test(extname(path)) ? null : sniffFormat(head);
  if (format === 'webp') {
    const animation = await withPath(path, async () => openAnimatedWebp(await readFile(path), maxPixels));
    if (animation) return openAnimation(path, animation);
  }
  const isAnimation =
    format === 'png' && (await withPath(path, async () => isAnimatedPng(await readFile(path))));
  if (format !== null && !isAnimation) return openPicture(path, rate);
  return openVideo(await ffmpeg(), path, isAnimation ? ['-f', 'apng'] : [], isLive ?? false);
}

async function readHead(path: string): Promise<Buffer> {
  await using file = await open(path);
  const { buffer, bytesRead } = await file.read({ buffer: Buffer.alloc(64) });
  return buffer.subarray(0, bytesRead);
}

async function openVideo(
  ffmpeg: Ffmpeg,
  path: string,
  options: readonly string[],
  isLive: boolean,
): Promise<Input> {
  const video = await probeVideo(ffmpeg, path, options);
  const { timebase, rate, last, frames: total } = video;
  const about = { kind: 'video', path, total, isLive, video, timebase, rate, last, passedOver: [] } as const;
  return { ...about, frames: (onDamage) => framesOf(ffmpeg, video, onDamage) };
}

/** Yields the frames of a video. @throws {VideoError} */
export async function* framesOf(
  ffmpeg: Ffmpeg,
  source: VideoSource,
  onDamage?: (words: string) => void,
): AsyncGenerator<InputFrame, void, void> {
  for await (const frame of readVideo(ffmpeg, source, maxPixels, onDamage)) yield { ...frame, name: null };
}

/** Runs `work` on a picture. @throws {RunError} that names the file, if the picture is faulty. */
async function withPath<T>(path: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ImageError) throw new RunError(`${path}: ${error.message}`, { cause: error });
    throw error;
  }
}

function openAnimation(path: string, animation: Animation): Input {
  const timebase = { numerator: 1, denominator: 1000 };
  let end = 0;
  const times = animation.delays.map((delay) => (end += delay) - delay);
  const index = times.length - 1;
  const last = { index, time: times[index] ?? 0, duration: animation.delays[index] ?? 0 };
  const rate = constantRate(times, timebase, last.duration);
  const total = times.length;
  return {
    kind: 'video',
    path,
    total,
    isLive: false,
    video: null,
    timebase,
    rate,
    last,
    passedOver: [],
    async *frames() {
      const images = animation.frames();
      for (const time of times) {
        const { value: image } = await withPath(path, () => images.next());
        if (image) yield { image, time, name: null };
      }
    },
  };
}

function openPicture(path: string, rate: Rational): Input {
  return {
    kind: 'image',
    path,
    total: 1,
    isLive: false,
    video: null,
    last: null,
    passedOver: [],
    timebase: timebaseOf(rate),
    rate,
    async *frames() {
      yield { image: await readStill(path), time: 0, name: basename(path) };
    },
  };
}
