import { createInterface } from 'node:readline';
import { Readable } from 'node:stream';
import type { Image } from '../image/image.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { fileArgument, type Ffmpeg, ffmpegAdvice, VideoError } from './ffmpeg.js';
import { parseFramecrcLine, parseSize } from './framecrc.js';
import type { VideoInfo } from './probe.js';

/** What ffmpeg reads: a file that was probed, or a stream that can be read only once. */
export interface VideoSource extends Pick<VideoInfo, 'path' | 'timebase' | 'inputOptions' | 'orientation'> {
  readonly colour: Pick<VideoInfo['colour'], 'filters' | 'matrix'>;
  readonly stream: Pick<VideoInfo['stream'], 'codec'>;
  /** ffmpeg's argument for the input; absent: `path` is a file. */
  readonly argument?: string;
  /** Whether it comes through the standard input of this process. */
  readonly isPiped?: boolean;
  /** Whether a failure after the first frame is its end, as when a camera is unplugged; it counts as damage. */
  readonly isLive?: boolean;
}

export interface VideoFrame {
  /** RGB with square pixels, upright. The memory is reused for the next frame. */
  readonly image: Image;
  /** When it is shown, in ticks of the video's timebase after the start of the file. */
  readonly time: number;
}

/**
 * Decodes all frames of a video, in presentation order.
 * ffmpeg writes the pixels to one pipe, and the size and the time of each frame to another, as text.
 * @param onDamage called once after the last frame, with ffmpeg's complaint about a file that it decoded in part.
 * @throws {VideoError}
 */
export async function* readVideo(
  ffmpeg: Ffmpeg,
  source: VideoSource,
  maxPixels: number,
  onDamage: (words: string) => void = () => {},
): AsyncGenerator<VideoFrame, void, void> {
  const { path, timebase, inputOptions, colour, orientation, argument = fileArgument(path) } = source;
  const scale = `scale=w=iw*sar:h=ih:in_color_matrix=${colour.matrix}:flags=bicubic+accurate_rnd+full_chroma_int`;
  const steps = [
    colour.filters,
    scale,
    'setsar=1',
    orientation ?? '',
    'format=rgb24',
    'split[times][pixels]',
  ];
  const filter = `[0:V:0]${steps.filter(Boolean).join(',')}`;
  const base = `${timebase.numerator}:${timebase.denominator}`;
  const keep = [...ffmpeg.passthrough, '-enc_time_base', base, '-flush_packets', '1'];
  const turn = orientation === null ? [] : ['-noautorotate'];
  const args = ['-nostdin', ...turn, ...inputOptions, '-i', argument, '-filter_complex', filter];
  const times = ['-map', '[times]', ...keep, '-f', 'framecrc', 'pipe:3'];
  const pixels = ['-map', '[pixels]', ...keep, '-f', 'rawvideo', 'pipe:1'];
  // The times come first: otherwise ffmpeg waits for the pixels to be read before it writes their size.
  const stdin = source.isPiped ? 'inherit' : 'ignore';
  await using process = new FfmpegProcess(
    ffmpeg,
    [...args, ...times, ...pixels],
    [stdin, 'pipe', 'pipe', 'pipe'],
  );
  const [, stdout, , text] = process.child.stdio;
  if (!(stdout instanceof Readable) || !(text instanceof Readable)) throw new Error('ffmpeg has no pipes');

  const lines = createInterface({ input: text })[Symbol.asyncIterator]();
  const size = await readSize(lines);
  if (!size) throw await noFrame(process, ffmpeg, source);
  if (size.width * size.height > maxPixels) {
    throw new VideoError(
      `${path} is too large: ${size.width}x${size.height}, the limit is ${maxPixels} pixels`,
    );
  }
  let frames = 0;
  for await (const data of readBlocks(stdout, size.width * size.height * 3)) {
    const time = await readTime(lines);
    if (time === null) throw new VideoError(`ffmpeg returned a frame of ${path} without a time`);
    frames++;
    yield { image: { ...size, data }, time };
  }
  if (frames === 0) throw await noFrame(process, ffmpeg, source);
  await process.finished.catch((error: unknown) => {
    // It ends like this if it could not decode most of a file; the frames that it did decode are valid.
    if (process.child.exitCode === tooManyErrors || source.isLive) return;
    const reason = error instanceof Error ? error.message : String(error);
    throw new VideoError(`${path} cannot be read to its end: ${reason}`, { cause: error });
  });
  if (process.reason !== undefined) onDamage(process.reason);
}

/** ffmpeg's exit code when more than two thirds of the frames were faulty (since 6.1). */
const tooManyErrors = 69;

async function noFrame(
  process: FfmpegProcess,
  { label }: Ffmpeg,
  { path, argument, isPiped, stream }: VideoSource,
): Promise<VideoError> {
  const words = await process.finished.then(
    () => process.reason,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const reason = words ?? 'no reason given';
  // What is wrong with a camera or a server is not the fault of this ffmpeg.
  if (argument !== undefined && !isPiped) return new VideoError(`${path}: no frame can be read: ${reason}`);
  return new VideoError(
    `${path}: no frame can be decoded (codec ${stream.codec}, by ${label}): ${reason}; ` +
      `if the file plays elsewhere, ${ffmpegAdvice}`,
  );
}

type Lines = AsyncIterator<string, unknown>;

async function readSize(lines: Lines): Promise<{ readonly width: number; readonly height: number } | null> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const line = parseFramecrcLine(next.value);
    if (line?.type === 'property' && line.key === 'dimensions') return parseSize(line.value);
  }
  return null;
}

async function readTime(lines: Lines): Promise<number | null> {
  for (let next = await lines.next(); !next.done; next = await lines.next()) {
    const line = parseFramecrcLine(next.value);
    if (line?.type === 'packet') return line.pts;
  }
  return null;
}

/** Splits a stream of bytes into blocks of one size, each in the same memory. */
async function* readBlocks(
  stream: Readable,
  size: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>, void, void> {
  const block = new Uint8Array(size);
  let filled = 0;
  for await (const chunk of stream as AsyncIterable<Buffer>) {
    for (let at = 0; at < chunk.length;) {
      const part = chunk.subarray(at, at + size - filled);
      block.set(part, filled);
      at += part.length;
      filled += part.length;
      if (filled < size) continue;
      filled = 0;
      yield block;
    }
  }
}
