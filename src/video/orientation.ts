import { open, type FileHandle } from 'node:fs/promises';

/** Filters that turn and mirror a picture as the matrix [a b; c d] of a display does, by its signs. */
const FILTERS: Readonly<Record<string, string>> = {
  '1,0,0,1': '',
  '0,1,-1,0': 'transpose=clock',
  '-1,0,0,-1': 'hflip,vflip',
  '0,-1,1,0': 'transpose=cclock',
  '-1,0,0,1': 'hflip',
  '1,0,0,-1': 'vflip',
  '0,1,1,0': 'transpose=cclock_flip',
  '0,-1,-1,0': 'transpose=clock_flip',
};

/** More than hours of video need. */
const MAX_MOVIE_BOX = 1 << 28;

/**
 * The filters that bring the first video track of an MP4 or QuickTime file the right way up, '' if it is so; null
 * for other files and for matrices that do more than turn and mirror. ffmpeg itself takes mirrors for turns before
 * version 5, so the matrices (ISO/IEC 14496-12, 8.2.2 and 8.3.2) are read here.
 */
export async function readOrientation(path: string): Promise<string | null> {
  await using file = await open(path);
  const movie = await readMovieBox(file);
  if (!movie) return null;
  const header = childrenOf(movie).find(({ type }) => type === 'mvhd')?.body;
  const track = childrenOf(movie)
    .filter(({ type }) => type === 'trak')
    .map(({ body }) => body)
    .find(isVideo);
  const trackHeader = track && childrenOf(track).find(({ type }) => type === 'tkhd')?.body;
  if (!header || !trackHeader) return null;
  // The times before the matrix have 64 bits in version 1.
  const of = readMatrix(header, header[0] === 1 ? 48 : 36);
  const inner = readMatrix(trackHeader, trackHeader[0] === 1 ? 52 : 40);
  if (!of || !inner) return null;
  const [a, b, c, d] = inner;
  const whole = [a * of[0] + b * of[2], a * of[1] + b * of[3], c * of[0] + d * of[2], c * of[1] + d * of[3]];
  return FILTERS[whole.map((value) => Math.sign(Math.round(value * 1024))).join(',')] ?? null;
}

type Matrix = readonly [number, number, number, number];

function readMatrix(body: Buffer, at: number): Matrix | null {
  if (body.length < at + 20) return null;
  const value = (offset: number): number => body.readInt32BE(at + offset) / 65_536;
  return [value(0), value(4), value(12), value(16)];
}

function isVideo(track: Buffer): boolean {
  const media = childrenOf(track).find(({ type }) => type === 'mdia')?.body;
  const handler = media && childrenOf(media).find(({ type }) => type === 'hdlr')?.body;
  return handler?.toString('latin1', 8, 12) === 'vide';
}

interface Box {
  readonly type: string;
  readonly body: Buffer;
}

function childrenOf(body: Buffer): Box[] {
  const boxes: Box[] = [];
  for (let at = 0; at + 8 <= body.length;) {
    const length = body.readUInt32BE(at);
    const type = body.toString('latin1', at + 4, at + 8);
    if (length < 8 || at + length > body.length) break;
    boxes.push({ type, body: body.subarray(at + 8, at + length) });
    at += length;
  }
  return boxes;
}

/** The body of the box `moov`, null in files that have none. */
async function readMovieBox(file: FileHandle): Promise<Buffer | null> {
  const { size } = await file.stat();
  const header = Buffer.alloc(16);
  for (let at = 0; at + 8 <= size;) {
    await file.read(header, 0, 16, at);
    const type = header.toString('latin1', 4, 8);
    if (!/^[\w ©-]{4}$/.test(type)) return null;
    const isLarge = header.readUInt32BE(0) === 1;
    const start = isLarge ? 16 : 8;
    const length = isLarge ? Number(header.readBigUInt64BE(8)) : header.readUInt32BE(0) || size - at;
    if (length < start) return null;
    if (type === 'moov') {
      if (length > MAX_MOVIE_BOX) return null;
      const body = Buffer.alloc(Math.min(length, size - at) - start);
      await file.read(body, 0, body.length, at + start);
      return body;
    }
    at += length;
  }
  return null;
}
