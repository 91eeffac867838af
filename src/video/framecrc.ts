import { parseRational, type Rational } from './timing.js';

/**
 * One line of ffmpeg's framecrc format, its plain-text list of the contents of a file:
 * `#key stream: value`, or `stream, dts, pts, duration, size, checksum`.
 */
export type FramecrcLine =
  | { readonly type: 'property'; readonly key: string; readonly stream: number; readonly value: string }
  | {
      readonly type: 'packet';
      readonly stream: number;
      /** Decoding and presentation time in ticks; null if the file does not say. */
      readonly dts: number | null;
      readonly pts: number | null;
      /** Ticks for which it is shown; null if the file does not say. */
      readonly duration: number | null;
    };

export function parseFramecrcLine(line: string): FramecrcLine | null {
  const [, key, of, value] = /^#(\w+) (\d+): *(.*)$/.exec(line) ?? [];
  if (key !== undefined && value !== undefined) return { type: 'property', key, stream: Number(of), value };
  const [, stream, dts, pts, length] = /^(\d+), *(\S+), *(\S+), *(\S+),/.exec(line) ?? [];
  if (stream === undefined) return null;
  const duration = parseTime(length);
  return {
    type: 'packet',
    stream: Number(stream),
    dts: parseTime(dts),
    pts: parseTime(pts),
    duration: duration !== null && duration > 0 ? duration : null,
  };
}

/** Parses ticks; ffmpeg writes an unknown time as a word or as the least 64-bit number. */
function parseTime(text = ''): number | null {
  const time = Number(text);
  return Number.isSafeInteger(time) ? time : null;
}

/** Parses a size such as `384x288`. */
export function parseSize(text: string): { readonly width: number; readonly height: number } {
  const [width = 0, height = 0] = text.split('x').map(Number);
  return { width, height };
}

/** Parses the value of `#tb`. */
export function parseTimebase(text: string): Rational {
  return parseRational(text) ?? { numerator: 1, denominator: 1000 };
}
