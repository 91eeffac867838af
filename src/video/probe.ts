import { createInterface } from 'node:readline';
import { type ColourPlan, planColours } from './colour.js';
import { FfmpegProcess } from './ffmpeg-process.js';
import { fileArgument, type Ffmpeg, ffmpegAdvice, VideoError } from './ffmpeg.js';
import { type FramecrcLine, parseFramecrcLine, parseTimebase } from './framecrc.js';
import { type MediaInfo, type MediaStream, parseMediaInfo } from './media-info.js';
import { type MovieTrack, readMovieTrack } from './movie-box.js';
import { constantRate, type LastFrame, type Rational, type Timing } from './timing.js';

export interface VideoInfo extends Timing {
  readonly path: string;
  /** Input options of ffmpeg that this kind of file needs. */
  readonly inputOptions: readonly string[];
  /** Frames in the file; fewer can be decoded if it is damaged. */
  readonly frames: number;
  /** In ticks of `timebase`. */
  readonly last: LastFrame;
  readonly stream: MediaStream;
  /** The other tracks of the file: sound, subtitles and so on. */
  readonly tracks: readonly MediaStream[];
  readonly timecode: string | null;
  readonly colour: ColourPlan;
  /** Filters that make it upright; null leaves that to ffmpeg. */
  readonly orientation: string | null;
}

/** Codecs of text files; ffmpeg mistakes many files that are not videos for these. */
const textCodecs: ReadonlySet<string> = new Set(['ansi', 'bintext', 'xbin', 'idf']);

interface Packet {
  readonly dts: number | null;
  readonly pts: number | null;
  readonly duration: number | null;
}

/**
 * Reads a video without decoding it: the number of its frames, their times, and the other contents of the file.
 * @param inputOptions options of ffmpeg that come before the file, such as the name of its format.
 * @throws {VideoError} if it has no video that ffmpeg can read.
 */
export async function probeVideo(
  ffmpeg: Ffmpeg,
  path: string,
  inputOptions: readonly string[] = [],
): Promise<VideoInfo> {
  const args = ['-nostdin', ...inputOptions, '-i', fileArgument(path), '-map', '0:V:0', '-c', 'copy'];
  const crc = [...args, '-f', 'framecrc', 'pipe:1'];
  await using process = new FfmpegProcess(ffmpeg, crc, ['ignore', 'pipe', 'pipe'], 'info');
  const { stdout } = process.child;
  if (!stdout) throw new Error('ffmpeg was started without a pipe');
  const properties = new Map<string, string>();
  const packets: Packet[] = [];
  for await (const text of createInterface({ input: stdout })) {
    const line: FramecrcLine | null = parseFramecrcLine(text);
    if (line?.type === 'packet') packets.push(line);
    else if (line) properties.set(line.key, line.value);
  }
  const failure = await process.finished.then(
    () => null,
    (error: unknown) => (error instanceof Error ? error.message : String(error)),
  );
  const info = parseMediaInfo(process.said);
  const stream = info.streams.find(({ type, isCover }) => type === 'video' && !isCover);
  const movie = stream ? await readMovieTrack(path) : null;
  const problem = explainProblem(info, stream, movie, packets.length, failure);
  if (!stream || problem !== null) {
    const words = (problem ?? 'it has no video')
      .replace(`${fileArgument(path)}: `, '')
      .replace(`${path}: `, '');
    throw new VideoError(`${path} is not a video that can be read: ${words}`);
  }
  const timebase = parseTimebase(properties.get('tb') ?? '');
  return {
    path,
    inputOptions,
    frames: packets.length,
    ...timesOf(packets, { timebase, info, stream }),
    stream,
    tracks: info.streams.filter((other) => other !== stream && !isRepeated(other, info)),
    timecode: info.timecode,
    colour: await planColours(ffmpeg, stream),
    orientation: movie?.orientation ?? null,
  };
}

/** Explains why it cannot be read, in plain words; null if it can. */
function explainProblem(
  { streams }: MediaInfo,
  stream: MediaStream | undefined,
  movie: MovieTrack | null,
  frames: number,
  failure: string | null,
): string | null {
  if (stream && (movie?.isEncrypted || stream.tag === 'encv')) return 'it is encrypted (DRM)';
  if (stream && textCodecs.has(stream.codec)) return 'it is text';
  if (stream?.codec === 'none') {
    return `ffmpeg does not know its codec (${stream.tag ?? 'unnamed'}); ${ffmpegAdvice}`;
  }
  if (!stream && streams.length > 0) {
    const hasSound = streams.some(({ type }) => type === 'audio');
    const hasCover = streams.some(({ isCover }) => isCover);
    if (hasSound) return `it has sound${hasCover ? ' and a cover picture' : ''}, but no video`;
    return `it has no video, only ${streams.map(({ type }) => type).join(', ')}`;
  }
  if (failure?.includes('moov atom not found')) {
    return 'it is cut short, damaged or not what its name says: its index (moov atom) is missing';
  }
  if (failure?.endsWith('Invalid data found when processing input')) {
    return 'ffmpeg does not know its format, or it is damaged';
  }
  if (failure !== null) return failure;
  return frames === 0 ? 'it has no frames' : null;
}

/** Returns whether a track only repeats metadata, which is copied anyway: chapters and the timecode in an MP4. */
function isRepeated({ type, tag }: MediaStream, { hasChapters, timecode }: MediaInfo): boolean {
  return type === 'data' && ((hasChapters && tag === 'text') || (timecode !== null && tag === 'tmcd'));
}

function timesOf(
  packets: readonly Packet[],
  { timebase, info, stream }: { timebase: Rational; info: MediaInfo; stream: MediaStream },
): Timing & Pick<VideoInfo, 'last'> {
  // Old containers have only decoding times, with the same distances.
  const key = packets.every(({ pts }) => pts !== null) ? 'pts' : 'dts';
  const shown = packets
    .flatMap((packet) => (packet[key] === null ? [] : [{ time: packet[key], duration: packet.duration }]))
    .sort((a, b) => a.time - b.time);
  const times = shown.map(({ time }) => time);
  const final = shown.at(-1) ?? { time: 0, duration: null };
  const toTicks = (seconds: number): number =>
    Math.round((seconds * timebase.denominator) / timebase.numerator);
  // Matroska has no frame durations; ffmpeg only guesses them.
  const byEnd = stream.end === null ? null : toTicks(stream.end - info.start) - final.time;
  const duration = byEnd !== null && byEnd > 0 ? byEnd : final.duration;
  const rate = constantRate(times, timebase, duration);
  const period = rate && toTicks(rate.denominator / rate.numerator);
  const gap = final.time - (times.at(-2) ?? final.time);
  const usual = period ?? (gap > 0 ? gap : toTicks(0.04));
  return { timebase, rate, last: { index: times.length - 1, time: final.time, duration: duration ?? usual } };
}
