import type { Writable } from 'node:stream';
import type { Image } from '../image/image.js';
import type { Destination } from './destinations.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { fileArgument, type Ffmpeg } from './ffmpeg.js';
import { ivfFrameHeader, ivfHeader } from './ivf.js';
import { secondsOf, timebaseOf, type LastFrame, type Rational, type Timing } from './timing.js';
import { type PlannedTrack, trackArguments, type TrackSource } from './tracks.js';

export interface VideoWriterOptions extends Timing {
  readonly destination: Destination;
  readonly width: number;
  readonly height: number;
  /** Time of the first frame in ticks of `timebase`: sound that starts earlier still does. */
  readonly start: number;
  /** The last frame; null if it is shown for as long as the others. */
  readonly last: LastFrame | null;
  /** A file whose sound and other tracks are added to this one. */
  readonly tracks: {
    readonly source: TrackSource;
    readonly kept: readonly PlannedTrack[];
    readonly timecode: string | null;
  } | null;
}

/** Writes a video through ffmpeg. Disposal before `finish` leaves an invalid file. */
export class VideoWriter implements AsyncDisposable {
  readonly #options: VideoWriterOptions;
  /** Seconds per tick of the output file: one frame if the rate is constant. */
  readonly #timebase: Rational;
  readonly #process: FfmpegProcess;
  readonly #input: Writable;
  #last = -1;

  constructor(ffmpeg: Ffmpeg, options: VideoWriterOptions) {
    const { rate, timebase } = options;
    this.#options = options;
    this.#timebase = rate ? timebaseOf(rate) : timebase;
    const args = outputArguments(ffmpeg, options, this.#timebase);
    const stdout = options.destination.target.includes('pipe:1') ? 'inherit' : 'ignore';
    this.#process = new FfmpegProcess(ffmpeg, args, ['pipe', stdout, 'pipe']);
    const { stdin } = this.#process.child;
    if (!stdin) throw new Error('ffmpeg was started without a pipe');
    this.#input = stdin;
    // If ffmpeg ends early, the pipe breaks; `finished` gives the reason.
    this.#input.on('error', () => {});
    void this.#send(ivfHeader(options, this.#timebase)).catch(() => {});
  }

  /**
   * Writes a frame; its memory may be changed once the promise has settled.
   * @param time ticks of `timebase`, on the clock of the source video.
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

  /** Returns the ticks since the first frame, in the timebase of the output file. */
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

/** Returns whether the last frame of a video can have its own duration. */
export async function keepsLastDuration(ffmpeg: Ffmpeg): Promise<boolean> {
  return ffmpeg.has('bsfs', 'setts');
}

function outputArguments(ffmpeg: Ffmpeg, options: VideoWriterOptions, output: Rational): string[] {
  const { destination, tracks, start, timebase, rate } = options;
  const source = tracks && ['-map_metadata', '1', ...trackArguments(tracks.kept, 1, 1)];
  // MP4 muxers turn it into a track, which needs a rate.
  const timecode = tracks?.timecode && rate ? ['-metadata', `timecode=${tracks.timecode}`] : [];
  return [
    ['-itsoffset', `${secondsOf(start, timebase)}`, '-f', 'ivf', '-c:v', 'rawvideo', '-i', 'pipe:0'],
    tracks ? [...tracks.source.inputOptions, '-i', fileArgument(tracks.source.path)] : [],
    ['-map', '0:v', ...(source ?? []), ...timecode],
    destination.options,
    ffmpeg.passthrough,
    ['-enc_time_base', `${output.numerator}:${output.denominator}`],
    lastDuration(options),
    destination.filter === '' ? [] : ['-filter:v:0', destination.filter],
    destination.target,
  ].flat();
}

/**
 * Returns the options for the duration of the last frame; none at a constant rate. Without B-frames it is also the last
 * in the file. Its duration is a fraction of its time, since versions of ffmpeg count both in different ticks.
 */
function lastDuration({ rate, last, destination: { holdsLast } }: VideoWriterOptions): string[] {
  if (rate || !last || holdsLast === 'no') return [];
  const noReordering = holdsLast === 'yes' ? [] : ['-bf:v:0', '0'];
  const duration = `round(PTS*${last.duration}/${last.time})`;
  return [...noReordering, '-bsf:v:0', `setts=duration=if(eq(N\\,${last.index})\\,${duration}\\,DURATION)`];
}
