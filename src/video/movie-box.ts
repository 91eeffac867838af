import { open, type FileHandle } from 'node:fs/promises';

/** Filters that turn and mirror a picture as the display matrix [a b; c d] does, by its signs. */
const filters: Readonly<Record<string, string>> = {
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
const maxMovieBoxBytes = 1 << 28;

/** Facts about the first video track of an MP4 or QuickTime file that not all versions of ffmpeg report. */
export interface MovieTrack {
  /**
   * The filters that make it upright, '' if it already is; null for matrices that do more than turn and mirror.
   * ffmpeg itself confuses mirroring with turning before version 5.
   */
  readonly orientation: string | null;
  readonly isEncrypted: boolean;
}

/** Reads the box `moov` (ISO/IEC 14496-12, 8.2 and 8.3; ISO/IEC 23001-7); returns null for other files. */
export async function readMovieTrack(path: string): Promise<MovieTrack | null> {
  await using file = await open(path);
  const movie = await readMovieBox(file);
  if (!movie) return null;
  const header = childOf(movie, 'mvhd');
  const track = childrenOf(movie)
    .filter(({ type }) => type === 'trak')
    .map(({ body }) => body)
    .find((body) => childOf(body, 'mdia', 'hdlr')?.toString('latin1', 8, 12) === 'vide');
  const trackHeader = track && childOf(track, 'tkhd');
  if (!header || !trackHeader) return null;
  const entry = childOf(track, 'mdia', 'minf', 'stbl', 'stsd')?.toString('latin1', 12, 16);
  const isEncrypted = entry === 'encv' || entry === 'drmi';
  // The times before the matrix have 64 bits in version 1.
  const outer = readMatrix(header, header[0] === 1 ? 48 : 36);
  const inner = readMatrix(trackHeader, trackHeader[0] === 1 ? 52 : 40);
  return { orientation: outer && inner && orientationOf(inner, outer), isEncrypted };
}

/** Returns the filters for the product of two matrices, inner and outer. */
function orientationOf([a, b, c, d]: Matrix, [e, f, g, h]: Matrix): string | null {
  const whole = [a * e + b * g, a * f + b * h, c * e + d * g, c * f + d * h];
  return filters[whole.map((value) => Math.sign(Math.round(value * 1024))).join(',')] ?? null;
}

type Matrix = readonly [number, number, number, number];

function readMatrix(body: Buffer, at: number): Matrix | null {
  if (body.length < at + 20) return null;
  const value = (offset: number): number => body.readInt32BE(at + offset) / 65_536;
  return [value(0), value(4), value(12), value(16)];
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

function childOf(body: Buffer, ...types: readonly string[]): Buffer | undefined {
  return types.reduce<Buffer | undefined>(
    (inside, wanted) => inside && childrenOf(inside).find(({ type }) => type === wanted)?.body,
    body,
  );
}

/** Reads the body of the box `moov`; null if there is none. */
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
    if (length < start || at + start > size) return null;
    if (type === 'moov') {
      if (length > maxMovieBoxBytes) return null;
      const body = Buffer.alloc(Math.min(length, size - at) - start);
      await file.read(body, 0, body.length, at + start);
      return body;
    }
    at += length;
  }
  return null;
}
