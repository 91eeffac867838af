import { FfmpegProcess } from './ffmpeg-process.js';
import { fileArgument, type Ffmpeg } from './ffmpeg.js';

/** Copies the first seconds of a video, all tracks, without encoding anything again. @throws {VideoError} */
export async function cutVideo(ffmpeg: Ffmpeg, from: string, to: string, seconds: number): Promise<void> {
  const how = ['-map', '0', '-c', 'copy', '-t', `${seconds}`];
  const args = ['-nostdin', '-i', fileArgument(from), ...how, '-y', fileArgument(to)];
  await using process = new FfmpegProcess(ffmpeg, args, ['ignore', 'ignore', 'pipe']);
  await process.finished;
}
