import { createInterface } from 'node:readline';
import { fileArgument, type Ffmpeg, FfmpegProcess, VideoError } from './ffmpeg.js';
import { parseFramecrcLine, parseTimebase } from './framecrc.js';
import { constantRate, type Rational, type Timing } from './timing.js';

export interface VideoInfo extends Timing {
  readonly path: string;
  /** Frames in the file; where it is damaged, fewer may come out. */
  readonly frames: number;
  /** Codecs of its sound tracks, in order, as ffmpeg names them. */
  readonly audioCodecs: readonly string[];
}

/** What ffmpeg makes of text files, as which it takes many a file that is no video. */
const TEXT_CODECS: ReadonlySet<string> = new Set(['ansi', 'bintext', 'xbin', 'idf']);

/**
 * Reads through a video without decoding it: how many frames it has, when they are shown, what sound it has.
 * @throws {VideoError} if it has no moving picture that ffmpeg knows.
 */
export async function probeVideo(ffmpeg: Ffmpeg, path: string): Promise<VideoInfo> {
  const args = ['-nostdin', '-i', fileArgument(path), '-map', '0:V:0', '-map', '0:a?', '-c', 'copy'];
  await using process = new FfmpegProcess(
    ffmpeg,
    [...args, '-f', 'framecrc', 'pipe:1'],
    ['ignore', 'pipe', 'pipe'],
  );
  const { stdout } = process.child;
  if (!stdout) throw new Error('ffmpeg was started without a pipe');
  let timebase: Rational = { numerator: 1, denominator: 1000 };
  let isText = false;
  const audioCodecs: string[] = [];
  const times: { readonly dts: number | null; readonly pts: number | null }[] = [];
  for await (const text of createInterface({ input: stdout })) {
    const line = parseFramecrcLine(text);
    if (line?.type === 'packet' && line.stream === 0) times.push(line);
    if (line?.type !== 'property') continue;
    if (line.key === 'tb' && line.stream === 0) timebase = parseTimebase(line.value);
    if (line.key !== 'codec_id') continue;
    if (line.stream > 0) audioCodecs.push(line.value);
    else isText = TEXT_CODECS.has(line.value);
  }
  await process.finished.catch((error: unknown) => {
    const reason = error instanceof Error ? error.message : String(error);
    const words = reason.replace(`${fileArgument(path)}: `, '');
    throw new VideoError(`${path} is no video that can be read: ${words}`, { cause: error });
  });
  if (isText) throw new VideoError(`${path} is no video that can be read: it is text`);
  if (times.length === 0) throw new VideoError(`${path} has no frames`);
  return { path, frames: times.length, timebase, rate: constantRate(shownAt(times), timebase), audioCodecs };
}

/** Times in the order of showing. Old containers hold decoding times alone, which are as far apart. */
function shownAt(packets: readonly { readonly dts: number | null; readonly pts: number | null }[]): number[] {
  const timesBy = (key: 'dts' | 'pts'): number[] =>
    packets.map((packet) => packet[key]).filter((time) => time !== null);
  const shown = timesBy('pts');
  return (shown.length === packets.length ? shown : timesBy('dts')).sort((a, b) => a - b);
}
