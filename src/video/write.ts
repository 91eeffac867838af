import { extname } from 'node:path';
import type { Writable } from 'node:stream';
import type { Image } from '../image/image.js';
import { fileArgument, type Ffmpeg, FfmpegProcess } from './ffmpeg.js';
import { ivfFrameHeader, ivfHeader } from './ivf.js';
import type { Rational, Timing } from './timing.js';

/** A container by its file name: the picture's encoder, the sound that may stay as it is, and the encoder for other. */
interface Container {
  readonly video: (crf: number) => readonly string[];
  readonly usualCrf: number;
  readonly keepsAudio: (codec: string) => boolean;
  readonly audio: string;
}

const h264 = (crf: number): readonly string[] => `-c:v libx264 -preset veryfast -crf ${crf}`.split(' ');
const vp9 = (crf: number): readonly string[] =>
  `-c:v libvpx-vp9 -crf ${crf} -b:v 0 -deadline realtime -cpu-used 6`.split(' ');
const keepsInMp4 = (codec: string): boolean => ['aac', 'mp3', 'ac3', 'eac3', 'alac'].includes(codec);

const containers: Readonly<Record<string, Container>> = {
  '.mp4': { video: h264, usualCrf: 18, keepsAudio: keepsInMp4, audio: 'aac' },
  '.m4v': { video: h264, usualCrf: 18, keepsAudio: keepsInMp4, audio: 'aac' },
  '.mov': {
    video: h264,
    usualCrf: 18,
    keepsAudio: (codec) => keepsInMp4(codec) || codec.startsWith('pcm_s'),
    audio: 'aac',
  },
  // Without B-frames: the sound of an MP4 starts a little below 0, and then old versions of ffmpeg shift all but the
  // frames that were reordered ahead of it.
  '.mkv': { video: (crf) => [...h264(crf), '-bf', '0'], usualCrf: 18, keepsAudio: () => true, audio: 'aac' },
  '.webm': {
    video: vp9,
    usualCrf: 30,
    keepsAudio: (codec) => codec === 'opus' || codec === 'vorbis',
    audio: 'libopus',
  },
};

/** Extensions of the video files that can be written. */
export const videoExtensions: readonly string[] = Object.keys(containers);

export interface VideoWriterOptions extends Timing {
  readonly path: string;
  readonly width: number;
  readonly height: number;
  /** Time of the first frame in ticks of `timebase`: where the sound starts earlier, it keeps doing so. */
  readonly start: number;
  /** Quality: lower is better and larger. H.264 0-51, VP9 0-63; null for the usual one. */
  readonly crf: number | null;
  /** A file whose sound goes into this one. */
  readonly sound: { readonly path: string; readonly audioCodecs: readonly string[] } | null;
}

/** Writes a video through ffmpeg. Disposing of it before `finish` leaves a file that is no video. */
export class VideoWriter implements AsyncDisposable {
  readonly #options: VideoWriterOptions;
  /** Seconds per tick of the file that is written: one frame where the rate is constant. */
  readonly #timebase: Rational;
  readonly #process: FfmpegProcess;
  readonly #input: Writable;
  #last = -1;

  constructor(ffmpeg: Ffmpeg, options: VideoWriterOptions) {
    const { rate, timebase } = options;
    this.#options = options;
    this.#timebase = rate ? { numerator: rate.denominator, denominator: rate.numerator } : timebase;
    const args = outputArguments(ffmpeg, options, this.#timebase);
    this.#process = new FfmpegProcess(ffmpeg, args, ['pipe', 'ignore', 'pipe']);
    const { stdin } = this.#process.child;
    if (!stdin) throw new Error('ffmpeg was started without a pipe');
    this.#input = stdin;
    // An early end of ffmpeg breaks the pipe; why it ended is what `finished` tells.
    this.#input.on('error', () => {});
    void this.#send(ivfHeader(options, this.#timebase)).catch(() => {});
  }

  /**
   * Writes a frame; its memory may be changed once the promise has settled.
   * @param time ticks of `timebase`, as the video counts that it was read from.
   * @throws {VideoError}
   */
  async write(image: Image, time: number): Promise<void> {
    const pixels = image.data.subarray(0, image.width * image.height * 3);
    this.#last = Math.max(this.#last + 1, this.#ticks(time));
    void this.#send(ivfFrameHeader(pixels.length, this.#last)).catch(() => {});
    await this.#send(pixels);
  }

  /** Ends the file. @throws {VideoError} */
  async finish(): Promise<void> {
    this.#input.end();
    await this.#process.finished;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process[Symbol.asyncDispose]();
  }

  /** Ticks since the first frame, in the timebase of the file that is written. */
  #ticks(time: number): number {
    const { timebase, start } = this.#options;
    const { numerator, denominator } = this.#timebase;
    return Math.round(
      ((time - start) * timebase.numerator * denominator) / (timebase.denominator * numerator),
    );
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const broken = await new Promise((resolve) => {
      this.#input.write(bytes, resolve);
    });
    if (!broken) return;
    await this.#process.finished;
    throw new Error('ffmpeg ended before all frames were written', { cause: broken });
  }
}

function outputArguments(
  { passthrough }: Ffmpeg,
  { path, crf, sound, start, timebase }: VideoWriterOptions,
  output: Rational,
): string[] {
  const container = containers[extname(path).toLowerCase()];
  if (!container) throw new Error(`no container is known for ${path}`);
  const offset = (start * timebase.numerator) / timebase.denominator;
  const audio = (sound?.audioCodecs ?? []).flatMap((codec, index) => [
    `-c:a:${index}`,
    container.keepsAudio(codec) ? 'copy' : container.audio,
  ]);
  return [
    ['-itsoffset', `${offset}`, '-f', 'ivf', '-c:v', 'rawvideo', '-i', 'pipe:0'],
    sound ? ['-i', fileArgument(sound.path), '-map', '0:v', '-map', '1:a?', '-map_metadata', '1'] : [],
    audio,
    container.video(crf ?? container.usualCrf),
    passthrough,
    ['-enc_time_base', `${output.numerator}:${output.denominator}`],
    // Players expect HD colours; without the note they guess by the size.
    ['-vf', 'scale=out_color_matrix=bt709:out_range=tv,format=yuv420p'],
    ['-colorspace', 'bt709', '-color_primaries', 'bt709', '-color_trc', 'bt709', '-color_range', 'tv'],
    ['-y', fileArgument(path)],
  ].flat();
}
