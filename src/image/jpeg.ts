import { asBuffer, type Container, type Orientation, partCounter } from './container.js';
import { exifOrientation, hasExifPrefix } from './exif.js';
import { mustApply } from './icc.js';
import { ImageError, type Size } from './image.js';

export interface JpegContainer extends Container {
  /** Whether its colours need no conversion other than JPEG's own. */
  readonly plain: boolean;
}

interface Segment {
  readonly marker: number;
  /** Offsets in the file, including its marker and length. */
  readonly start: number;
  readonly end: number;
  readonly content: Buffer;
}

/** Progressive JPEGs have ten scans, or eighteen with four colours; each is a pass over the whole picture. */
const maxScans = 20;

/** Length of the first marker, SOI. */
const startBytes = 2;
const eoi = 0xd9;
const endMarker = Buffer.of(0xff, eoi);
const sos = 0xda;
const scanMarker = Buffer.of(0xff, sos);
const app1 = 0xe1;
const app2 = 0xe2;
/** JFIF and Adobe say which colours the components are. */
const keptApps = new Set([0xe0, 0xee]);
/** DHT, DAC, DQT, DRI. */
const tables = new Set([0xc4, 0xcc, 0xdb, 0xdd]);
const com = 0xfe;
const iccPrefix = Buffer.from('ICC_PROFILE\0', 'latin1');
const iccHeaderBytes = iccPrefix.length + 2;

/**
 * Reads a JPEG up to its first scan (ITU-T T.81, B.2), without decoding anything.
 * @throws {ImageError} if it has no frame header and scan, or too many scans.
 */
export function readJpeg(bytes: Uint8Array): JpegContainer {
  const file = asBuffer(bytes);
  const needed: Segment[] = [];
  const profile: Segment[] = [];
  let frame: Segment | null = null;
  let orientation: Orientation | null = null;
  for (const segment of segmentsOf(file)) {
    const { marker, content } = segment;
    if (isFrameHeader(marker)) frame ??= segment;
    if (marker === app1 && hasExifPrefix(content)) orientation ??= exifOrientation(content);
    else if (marker === app2 && content.indexOf(iccPrefix) === 0) profile.push(segment);
    if (!isApp(marker) || keptApps.has(marker)) needed.push(segment);
    if (marker === sos && frame) {
      const { width, height, components } = readFrameHeader(frame);
      const progressive = (frame.marker & 3) === 2;
      const several = progressive || (content[0] ?? 0) < components;
      const scans = several ? scansOf(file, segment) : file.subarray(segment.end);
      const profiled = mustApply(joinProfile(profile));
      const kept = profiled ? [...profile, ...needed] : needed;
      return {
        width,
        height,
        orientation: orientation ?? 1,
        plain: components !== 4 && !profiled,
        essence: () => Promise.resolve({ file: join(file, kept, scans), deepProfile: false }),
      };
    }
  }
  throw new ImageError('the JPEG has no frame header and scan: it is cut short or damaged');
}

function readFrameHeader({ content }: Segment): Size & { readonly components: number } {
  if (content.length < 6) throw new ImageError('the frame header of the JPEG is damaged');
  return {
    width: content.readUInt16BE(3),
    height: content.readUInt16BE(1),
    components: content.readUInt8(5),
  };
}

/** Joins segments and scans to a file; without a copy if no segment is left out. */
function join(file: Buffer, segments: readonly Segment[], scans: Buffer): Buffer {
  const length = segments.reduce((sum, { start, end }) => sum + end - start, startBytes);
  if (length === segments.at(-1)?.end) return file.subarray(0, length + scans.length);
  const parts = segments.map(({ start, end }) => file.subarray(start, end));
  return Buffer.concat([file.subarray(0, startBytes), ...parts, scans]);
}

/**
 * Yields the segments up to the first scan's. Strict, since the frame header determines the memory for the pixels: only
 * segments that decoders skip by their length may come before it. Webcams put stray bytes after it.
 */
function* segmentsOf(file: Buffer): Generator<Segment> {
  const count = partCounter(file);
  let strict = true;
  let at = startBytes;
  while (at + 4 <= file.length) {
    count();
    const marker = file.readUInt8(at + 1);
    if (file.readUInt8(at) !== 0xff) {
      if (strict) return;
      at = file.indexOf(0xff, at);
      if (at < 0) return;
    } else if (marker === 0xff) {
      // A marker may be padded with any number of 0xff.
      at += 1;
    } else if (strict && !isPreface(marker) && !isFrameHeader(marker)) {
      return;
    } else if (marker < 0xc0 || (marker >= 0xd0 && marker <= eoi)) {
      at += 2;
    } else {
      const end = at + 2 + file.readUInt16BE(at + 2);
      if (end < at + 4) return;
      yield { marker, start: at, end, content: file.subarray(at + 4, end) };
      if (marker === sos) return;
      if (isFrameHeader(marker)) strict = false;
      at = end;
    }
  }
}

/** Returns all scans, up to the end of the picture: phones append further pictures and videos. */
function scansOf(file: Buffer, first: Segment): Buffer {
  const end = file.indexOf(endMarker, first.end);
  const scans = file.subarray(first.end, end < 0 ? file.length : end + 2);
  let count = 1;
  for (let at = scans.indexOf(scanMarker); at >= 0; at = scans.indexOf(scanMarker, at + 2)) {
    count += 1;
    if (count > maxScans) throw new ImageError(`the JPEG has more than ${maxScans} scans`);
  }
  return scans;
}

/** Joins a colour profile from its segments, which are numbered. */
function joinProfile(segments: readonly Segment[]): Buffer {
  const parts = segments.map(({ content }) => content).filter(({ length }) => length > iccHeaderBytes);
  const number = (part: Buffer): number => part.readUInt8(iccPrefix.length);
  parts.sort((a, b) => number(a) - number(b));
  return Buffer.concat(parts.map((part) => part.subarray(iccHeaderBytes)));
}

/** Whether a marker is one of SOF0 to SOF15, which DHT, JPG and DAC lie between. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Whether a segment may come before the frame header. */
function isPreface(marker: number): boolean {
  return tables.has(marker) || isApp(marker);
}

/** Whether a marker is one of APP0 to APP15, or of a comment. */
function isApp(marker: number): boolean {
  return (marker >= 0xe0 && marker <= 0xef) || marker === com;
}
