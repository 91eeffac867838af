import { setTimeout } from 'node:timers/promises';
import { isatty } from 'node:tty';
import type { Image } from '../../image/image.js';
import {
  deviceDestination,
  networkDestination,
  pipeDestination,
  pipeFormatNames,
  type Destination,
} from '../../video/destinations.js';
import type { Ffmpeg } from '../../video/ffmpeg.js';
import { withoutSecrets } from '../../video/secrets.js';
import { isUrl, needSystemFfmpeg } from '../../video/streams.js';
import { secondsOf, type Rational } from '../../video/timing.js';
import { FrameWriter } from './frame-writer.js';
import { noTracks, type Output, type OutputOptions } from './output.js';
import { RunError } from './run-error.js';

/** Raw pixels, the only format that needs no ffmpeg: RGB, one byte per channel, frame after frame. */
const rawFormat = 'rawvideo';

/** Returns whether this output is shown or passed on at once, and not kept in a file. */
export function isStreamOutput(target: string): boolean {
  return target === '-' || isUrl(target) || /^\/dev\/video\d+$/.test(target);
}

/** Standard output (`-`), an address in the network, or a video device. @throws {RunError | VideoError} */
export async function openStreamOutput(target: string, options: OutputOptions): Promise<Output> {
  const { input, ffmpeg, crf, format = 'matroska' } = options;
  if (target !== '-') {
    const system = await ffmpeg();
    needSystemFfmpeg(system, `${withoutSecrets(target)} cannot be opened`);
    const destination = isUrl(target) ? networkDestination(target, crf) : deviceDestination(target);
    // Those who watch expect each frame at its time.
    const paced = input.isLive ? null : new Pace(input.timebase);
    return writeStream(withoutSecrets(target), system, destination, options, paced);
  }
  if (isatty(1))
    throw new RunError('the output is standard output (-), but that is a terminal; pipe it to a program');
  if (format === rawFormat) return writeRaw();
  if (!pipeFormatNames.includes(format)) {
    const known = [rawFormat, ...pipeFormatNames].join(', ');
    throw new RunError(`--output-format must be one of ${known}, not ${format}`);
  }
  return writeStream('standard output', await ffmpeg(), pipeDestination(format, crf), options, null);
}

function writeStream(
  name: string,
  ffmpeg: Ffmpeg,
  destination: Destination,
  { input: { timebase, rate } }: OutputOptions,
  pace: Pace | null,
): Output {
  const video = { destination, timebase, rate, last: null, tracks: null };
  const writer = new FrameWriter(ffmpeg, { ...video, name, tell: withoutSecrets });
  return {
    tracks: noTracks,
    notes: [],
    async write(image, { time }) {
      await pace?.until(time);
      await writer.write(image, time);
    },
    finish: () => writer.finish(),
    [Symbol.asyncDispose]: () => writer[Symbol.asyncDispose](),
  };
}

function writeRaw(): Output {
  // Each write reports its own failure.
  const ignore = (): void => {};
  process.stdout.on('error', ignore);
  return {
    tracks: noTracks,
    notes: [],
    write: ({ data, width, height }: Image) =>
      new Promise((resolve, reject) => {
        process.stdout.write(data.subarray(0, width * height * 3), (error) => {
          if (error)
            reject(new RunError(`standard output cannot be written: ${error.message}`, { cause: error }));
          else resolve();
        });
      }),
    finish: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(void process.stdout.off('error', ignore)),
  };
}

/** Lets frames out no earlier than the time between them says. */
class Pace {
  readonly #timebase: Rational;
  #start: { readonly at: number; readonly time: number } | null = null;

  constructor(timebase: Rational) {
    this.#timebase = timebase;
  }

  /** Waits until a frame is due. @param time in ticks. */
  async until(time: number): Promise<void> {
    this.#start ??= { at: performance.now(), time };
    const due = this.#start.at + secondsOf(time - this.#start.time, this.#timebase) * 1000;
    await setTimeout(Math.max(0, due - performance.now()));
  }
}
