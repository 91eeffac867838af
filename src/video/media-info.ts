/** The colours that a video file declares; `unknown` if it does not. Names are those of ffmpeg (ITU-T H.273). */
interface Colours {
  readonly matrix: string;
  readonly primaries: string;
  readonly transfer: string;
}

export interface MediaStream {
  /** Its place in the file, from 0. */
  readonly index: number;
  readonly type: 'video' | 'audio' | 'subtitle' | 'data' | 'attachment';
  /** ffmpeg's name of its codec; `none` if ffmpeg does not know it. */
  readonly codec: string;
  /** The four letters that name the codec in some containers. */
  readonly tag: string | null;
  readonly isCover: boolean;
  readonly colours: Colours;
  /** Pixels as stored, 0 if unknown. */
  readonly width: number;
  readonly height: number;
  /** When it ends, in seconds of the file's clock, if its metadata say so (Matroska). */
  readonly end: number | null;
  /** Profile of Dolby Vision; null without it. */
  readonly dolbyVision: number | null;
}

/** The contents of a file. */
export interface MediaInfo {
  readonly streams: readonly MediaStream[];
  /** Seconds at which the file's clock starts. */
  readonly start: number;
  /** Seconds, null if unknown. */
  readonly duration: number | null;
  readonly hasChapters: boolean;
  /** Timecode of the first frame, such as `01:00:00:00`. */
  readonly timecode: string | null;
}

const unknownColours: Colours = { matrix: 'unknown', primaries: 'unknown', transfer: 'unknown' };
const streamLine = /^\s*Stream #0:(\d+)(?:\[0x\w+\])?(?:\([^)]*\))?: (\w+): (.*)$/;

/** Parses ffmpeg's description of its first input on standard error, which is the same in all versions. */
export function parseMediaInfo(text: string): MediaInfo {
  const lines = text.split(/\r?\n/);
  const begin = lines.findIndex((line) => line.startsWith('Input #0'));
  const rest = begin < 0 ? [] : lines.slice(begin + 1);
  const end = rest.findIndex((line) => /^(?:Output #|Stream mapping|Input #1)/.test(line));
  const section = end < 0 ? rest : rest.slice(0, end);
  const starts = section.flatMap((line, at) => (streamLine.test(line) ? [at] : []));
  const head = section.find((line) => /^\s*Duration: /.test(line)) ?? '';
  return {
    streams: starts.map((at, index) => parseStream(section.slice(at, starts[index + 1]))).filter(isStream),
    start: Number(/start: (-?[\d.]+)/.exec(head)?.[1] ?? 0),
    duration: parseClock(/Duration: (\d+:\d+:[\d.]+)/.exec(head)?.[1]),
    hasChapters: section.some((line) => /^\s*Chapters?\b/.test(line)),
    timecode: section.map((line) => /^\s*timecode\s*: (\S+)/i.exec(line)?.[1]).find(Boolean) ?? null,
  };
}

function parseStream([first = '', ...more]: readonly string[]): MediaStream | null {
  const [, index, kind = '', description = ''] = streamLine.exec(first) ?? [];
  const type = kind.toLowerCase();
  if (!isType(type)) return null;
  const [coding = '', pixels = '', ...others] = splitOutside(description);
  const size = others.map((part) => /^(\d+)x(\d+)\b/.exec(part)).find(Boolean) ?? [];
  const side = more.join('\n');
  return {
    index: Number(index),
    type,
    codec: /^\w+/.exec(coding)?.[0] ?? 'none',
    tag: /\((\S{1,4}) \/ 0x/.exec(coding)?.[1] ?? null,
    isCover: description.includes('(attached pic)'),
    colours: parseColours(pixels),
    width: Number(size[1] ?? 0),
    height: Number(size[2] ?? 0),
    end: parseClock(/^\s*DURATION\S*\s*: (\d+:\d+:[\d.]+)/m.exec(side)?.[1]),
    dolbyVision: Number(/DOVI configuration record:.*? profile: (\d+)/.exec(side)?.[1] ?? 0) || null,
  };
}

/** Parses `yuv420p10le(tv, bt2020nc/bt2020/arib-std-b67, progressive)`; a single name stands for all three. */
function parseColours(pixels: string): Colours {
  const parts = splitOutside(/\((.*)\)/.exec(pixels)?.[1] ?? '');
  const named = parts.find(
    (part) => /^[\w-]+\/[\w-]+\/[\w-]+$/.test(part) || /\d/.test(part) || part === 'gbr',
  );
  if (named === undefined) return unknownColours;
  const [matrix = 'unknown', primaries = matrix, transfer = matrix] = named.split('/');
  return { matrix, primaries, transfer };
}

/** Splits at commas outside brackets. */
function splitOutside(text: string): string[] {
  return (text.match(/(?:\([^)]*\)|\[[^\]]*\]|[^,])+/g) ?? []).map((part) => part.trim());
}

function parseClock(text: string | undefined): number | null {
  if (text === undefined) return null;
  const [hours = 0, minutes = 0, seconds = 0] = text.split(':').map(Number);
  return hours * 3600 + minutes * 60 + seconds;
}

function isType(type: string): type is MediaStream['type'] {
  return ['video', 'audio', 'subtitle', 'data', 'attachment'].includes(type);
}

function isStream(stream: MediaStream | null): stream is MediaStream {
  return stream !== null;
}
