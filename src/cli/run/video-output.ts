import { rename, rm } from 'node:fs/promises';
import { cutVideo } from '../../video/cut.js';
import { fileDestination } from '../../video/destinations.js';
import { fileArgument, ffmpegAdvice, type Ffmpeg, VideoError } from '../../video/ffmpeg.js';
import { periodOf, secondsOf } from '../../video/timing.js';
import { planTracks } from '../../video/tracks.js';
import { keepsLastDuration, VideoWriter } from '../../video/write.js';
import { noTracks, type Output, type OutputOptions } from './output.js';

/** A video file. @param part where it is written first; it has the same extension. @throws {VideoError} */
export async function openVideo(
  path: string,
  part: string,
  ffmpeg: Ffmpeg,
  { input, crf }: OutputOptions,
): Promise<Output> {
  const { timebase, rate, video } = input;
  const tracks = video ? await planTracks(ffmpeg, video, part) : noTracks;
  const keepsLast = rate !== null || input.last === null || (await keepsLastDuration(ffmpeg));
  const last = keepsLast ? input.last : null;
  const destination = fileDestination(part, crf, ffmpeg);
  const notes = [
    ...(keepsLast ? [] : [`the last frame is cut short: ${ffmpeg.label} is too old; ${ffmpegAdvice}`]),
    ...(video?.timecode && !rate ? ['the timecode was left out: it needs a constant frame rate'] : []),
    ...[destination.note ?? []].flat(),
  ];
  const cut = part.replace(/\.part(?=\.\w+$)/, '.cut');
  let writer: VideoWriter | null = null;
  /** Times of the last two frames, in ticks. */
  let [before, latest] = [0, 0];
  const nameOutput = (error: unknown): never => {
    if (!(error instanceof VideoError)) throw error;
    const reason = error.message.replaceAll(fileArgument(part), 'the file').replaceAll(part, 'the file');
    throw new VideoError(`${path} cannot be written: ${reason}`, { cause: error });
  };
  return {
    tracks,
    notes,
    async write(image, { time }) {
      const { width, height } = image;
      const source = video && { source: video, kept: tracks.kept, timecode: video.timecode };
      const options = { destination, width, height, timebase, rate, start: time, last, tracks: source };
      writer ??= new VideoWriter(ffmpeg, options);
      [before, latest] = [latest, time];
      await writer.write(image, time).catch(nameOutput);
    },
    async finish(isCut = false) {
      await writer?.finish().catch(nameOutput);
      if (!isCut || tracks.kept.length === 0) return rename(part, path);
      // The writer has copied all of the sound.
      const length = rate ? periodOf(rate, timebase) : latest - before;
      const end = secondsOf(latest + length, timebase);
      await cutVideo(ffmpeg, part, cut, end).catch(nameOutput);
      await rename(cut, path);
    },
    async [Symbol.asyncDispose]() {
      await writer?.[Symbol.asyncDispose]();
      await rm(part, { force: true });
      await rm(cut, { force: true });
    },
  };
}
