import { promisify } from 'node:util';
import { createInflate, inflate } from 'node:zlib';
import { asBuffer, type Container, partCounter } from './container.js';
import { exifOrientation } from './exif.js';
import { maxProfileBytes, mustApply } from './icc.js';
import { ImageError } from './image.js';

interface Header {
  readonly width: number;
  readonly height: number;
  readonly bitsPerPixel: number;
  readonly depth: number;
  readonly interlaced: boolean;
}

interface Chunk {
  readonly type: string;
  /** Including length, type and checksum. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

const signatureBytes = 8;
const channelsByColourType: Readonly<Record<number, number>> = { 0: 1, 2: 3, 3: 1, 4: 2, 6: 4 };
const neededTypes = new Set(['IHDR', 'PLTE', 'tRNS', 'IDAT', 'IEND']);

/**
 * Compressed pixels of up to this length are not checked: zlib inflates them a thousandfold at most, which takes a
 * decoder no longer than a large picture does.
 */
const uncheckedBytes = 512 * 1024;

const inflateChunkBytes = 256 * 1024;

/** Columns and rows of the seven passes of an interlaced picture: first and step of each (PNG, 8.2). */
const adam7 = [
  [0, 8, 0, 8],
  [4, 8, 0, 8],
  [0, 4, 4, 8],
  [2, 4, 0, 4],
  [0, 2, 2, 4],
  [1, 2, 0, 2],
  [0, 1, 1, 2],
] as const;

/**
 * Reads the chunks of a PNG (PNG 3rd edition, 5.3), without decoding anything.
 * @throws {ImageError} if it does not begin with its header.
 */
export function readPng(bytes: Uint8Array): Container {
  let first: Header | null = null;
  let exif: Buffer | null = null;
  let profile: Chunk | null = null;
  const needed: Chunk[] = [];
  for (const chunk of chunksOf(asBuffer(bytes))) {
    first ??= readHeader(chunk);
    if (neededTypes.has(chunk.type)) needed.push(chunk);
    else if (chunk.type === 'eXIf') exif ??= chunk.content;
    else if (chunk.type === 'iCCP') profile ??= chunk;
  }
  if (!first) throw new ImageError('the PNG is cut short');
  const header = first;
  return {
    width: header.width,
    height: header.height,
    orientation: exif ? exifOrientation(exif) : 1,
    async essence() {
      await checkPixelData(header, needed);
      const colours = profile && (await changesColours(profile)) ? [profile] : [];
      // A profile comes after the header and before the palette.
      const chunks = needed.toSpliced(1, 0, ...colours).map(({ whole }) => whole);
      return {
        file: Buffer.concat([asBuffer(bytes).subarray(0, signatureBytes), ...chunks]),
        deepProfile: header.depth > 8 && colours.length > 0,
      };
    },
  };
}

/** Yields the chunks up to the last. @throws {ImageError} if there are more than any encoder writes. */
export function* chunksOf(file: Buffer): Generator<Chunk> {
  const count = partCounter(file);
  for (let at = signatureBytes; at + 8 <= file.length;) {
    count();
    const end = at + 8 + file.readUInt32BE(at);
    const type = file.toString('latin1', at + 4, at + 8);
    yield { type, whole: file.subarray(at, end + 4), content: file.subarray(at + 8, end) };
    if (type === 'IEND') return;
    at = end + 4;
  }
}

function readHeader({ type, content }: Chunk): Header {
  const depth = content[8] ?? 0;
  const channels = channelsByColourType[content[9] ?? 1];
  if (
    type !== 'IHDR' ||
    content.length !== 13 ||
    channels === undefined ||
    ![1, 2, 4, 8, 16].includes(depth)
  ) {
    throw new ImageError('the header of the PNG is damaged');
  }
  return {
    width: content.readUInt32BE(0),
    height: content.readUInt32BE(4),
    depth,
    bitsPerPixel: channels * depth,
    interlaced: content[12] === 1,
  };
}

/** @throws {ImageError} if the pixels inflate to far more than the picture has: a decoder would inflate them all. */
async function checkPixelData(header: Header, chunks: readonly Chunk[]): Promise<void> {
  const data = chunks.filter(({ type }) => type === 'IDAT').map(({ content }) => content);
  if (data.reduce((sum, { length }) => sum + length, 0) <= uncheckedBytes) return;
  const limit = pixelDataBytes(header) + 64 * 1024;
  if (await inflatesBeyond(data, limit)) throw new ImageError('the PNG has more data than its picture');
}

/** Returns the length of the pixels before compression: each row of each pass has a byte for its filter. */
function pixelDataBytes({ width, height, bitsPerPixel, interlaced }: Header): number {
  const bytes = (columns: number, rows: number): number =>
    columns === 0 ? 0 : rows * (1 + Math.ceil((columns * bitsPerPixel) / 8));
  if (!interlaced) return bytes(width, height);
  return adam7.reduce((sum, [left, stepX, top, stepY]) => {
    const columns = Math.ceil((width - left) / stepX);
    const rows = Math.ceil((height - top) / stepY);
    return sum + bytes(Math.max(columns, 0), Math.max(rows, 0));
  }, 0);
}

/** Returns whether zlib data inflates to more than `limit` bytes; the decoder reports any damage. */
async function inflatesBeyond(parts: readonly Buffer[], limit: number): Promise<boolean> {
  return new Promise((resolve) => {
    const stream = createInflate({ chunkSize: inflateChunkBytes });
    let length = 0;
    stream.on('data', (chunk: Buffer) => {
      length += chunk.length;
      if (length > limit) stream.destroy();
    });
    stream.on('error', () => {});
    stream.on('close', () => resolve(length > limit));
    for (const part of parts) stream.write(part);
    stream.end();
  });
}

/** Returns whether the colour profile changes anything, and is as large as it declares. */
async function changesColours({ content }: Chunk): Promise<boolean> {
  // A name, its terminator, and the number of the compression method.
  const start = content.indexOf(0) + 2;
  if (start < 2) return false;
  try {
    const options = { maxOutputLength: maxProfileBytes, chunkSize: inflateChunkBytes };
    const profile = await promisify(inflate)(content.subarray(start), options);
    return mustApply(profile) && profile.readUInt32BE(0) === profile.length;
  } catch {
    return false;
  }
}
