import { rename, rm } from 'node:fs/promises';
import { cutVideo } from '../../video/cut.js';
import { fileDestination } from '../../video/destinations.js';
import { fileArgument, ffmpegAdvice, type Ffmpeg } from '../../video/ffmpeg.js';
import { periodOf, secondsOf } from '../../video/timing.js';
import { planTracks } from '../../video/tracks.js';
import { keepsLastDuration } from '../../video/write.js';
import { FrameWriter } from './frame-writer.js';
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
  const writer = new FrameWriter(ffmpeg, {
    destination,
    timebase,
    rate,
    last,
    tracks: video && { source: video, kept: tracks.kept, timecode: video.timecode },
    name: path,
    tell: (message) => message.replaceAll(fileArgument(part), 'the file').replaceAll(part, 'the file'),
  });
  /** Times of the last two frames, in ticks. */
  let [before, latest] = [0, 0];
  return {
    tracks,
    notes,
    async write(image, { time }) {
      [before, latest] = [latest, time];
      await writer.write(image, time);
    },
    async finish(isCut = false) {
      await writer.finish();
      if (!isCut || tracks.kept.length === 0) return rename(part, path);
      // The writer has copied all of the sound.
      const length = rate ? periodOf(rate, timebase) : latest - before;
      const end = secondsOf(latest + length, timebase);
      await writer.named(cutVideo(ffmpeg, part, cut, end));
      await rename(cut, path);
    },
    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
      await rm(part, { force: true });
      await rm(cut, { force: true });
    },
  };
}
