import { extname } from 'node:path';
import { containerOf, type Handling, handlingsOf } from './containers.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { fileArgument, type Ffmpeg } from './ffmpeg.js';
import type { MediaStream } from './media-info.js';

/** A file whose other tracks are added to the written picture. */
export interface TrackSource {
  readonly path: string;
  readonly inputOptions: readonly string[];
  readonly tracks: readonly MediaStream[];
}

/** A track that is written to the file. */
export interface PlannedTrack {
  readonly stream: MediaStream;
  readonly handling: Handling;
}

/** A track that is left out, and why. */
export interface LeftTrack {
  readonly stream: MediaStream;
  readonly reason: string;
}

export interface TrackPlan {
  readonly kept: readonly PlannedTrack[];
  readonly left: readonly LeftTrack[];
}

/** Encoders fail at the first sound that they get, which comes within this time in nearly every file. */
const trialSeconds = '10';

/**
 * Plans what to do with the tracks of a file besides its picture: a track is copied if possible, else encoded, else
 * left out. No list says what a version of ffmpeg, an encoder and a container accept together, so the beginning of the
 * file is tried.
 * @param path where the trial is written, with the extension of the output; it is overwritten.
 */
export async function planTracks(ffmpeg: Ffmpeg, source: TrackSource, path: string): Promise<TrackPlan> {
  const container = containerOf(path);
  const left: LeftTrack[] = [];
  const open: { readonly stream: MediaStream; readonly ways: readonly Handling[] }[] = [];
  for (const stream of source.tracks) {
    const ways = handlingsOf(container, ffmpeg, stream);
    if (ways.length > 0) open.push({ stream, ways });
    else left.push({ stream, reason: whyLeftOut(stream, extname(path)) });
  }
  const first = open.flatMap(({ stream, ways: [handling] }) => (handling ? [{ stream, handling }] : []));
  if (first.length === 0 || (await tryTracks(ffmpeg, source, path, first)) === null)
    return { kept: first, left };

  const kept: PlannedTrack[] = [];
  for (const { stream, ways } of open) {
    let reason: string | null = null;
    let found: PlannedTrack | null = null;
    for (const handling of ways) {
      const failure = await tryTracks(ffmpeg, source, path, [{ stream, handling }]);
      if (failure === null) found = { stream, handling };
      if (found) break;
      reason ??= failure;
    }
    if (found) kept.push(found);
    else left.push({ stream, reason: reason ?? 'it cannot be read' });
  }
  return { kept, left };
}

/** Returns options that map the tracks of input number `input`, to output streams from `place` on. */
export function trackArguments(kept: readonly PlannedTrack[], input: number, place: number): string[] {
  return kept.flatMap(({ stream, handling }, index) => [
    '-map',
    `${input}:${stream.index}`,
    ...handling.options(place + index),
  ]);
}

/** Tries to write these tracks. @returns null if that works, else the reason. */
async function tryTracks(
  ffmpeg: Ffmpeg,
  { path: input, inputOptions }: TrackSource,
  path: string,
  tracks: readonly PlannedTrack[],
): Promise<string | null> {
  const from = ['-nostdin', '-y', ...inputOptions, '-i', fileArgument(input)];
  const to = [...trackArguments(tracks, 0, 0), '-t', trialSeconds, fileArgument(path)];
  await using trial = new FfmpegProcess(ffmpeg, [...from, ...to], ['ignore', 'ignore', 'pipe']);
  return await trial.finished.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
}

function whyLeftOut({ type, codec, tag, isCover }: MediaStream, extension: string): string {
  if (isCover) return 'cover pictures are not copied';
  if (type === 'video') return 'only the first video track is processed';
  if (codec === 'none' && type !== 'attachment')
    return `ffmpeg does not know its codec (${tag ?? 'unnamed'})`;
  return `${extension} files cannot hold it`;
}
