import { asBuffer, type Container, partCounter } from './container.js';
import { exifOrientation } from './exif.js';
import { mustApply } from './icc.js';
import { ImageError, type Size } from './image.js';

interface Chunk {
  readonly type: string;
  /** Including type, length and padding. */
  readonly whole: Buffer;
  readonly content: Buffer;
}

const riffHeaderBytes = 12;
const iccFlag = 0x20;
const exifFlag = 0x08;
const xmpFlag = 0x04;

/**
 * Reads the chunks of a WebP (RFC 9649), without decoding anything. Only the first image of an animation is kept.
 * @throws {ImageError} if it has no image, or its size differs from that in the header.
 */
export function readWebp(bytes: Uint8Array): Container {
  const chunks = new Map<string, Chunk>();
  for (const chunk of chunksOf(asBuffer(bytes))) {
    if (!chunks.has(chunk.type)) chunks.set(chunk.type, chunk);
    // Without the extended header nothing follows the image.
    if (!chunks.has('VP8X')) break;
  }
  const canvas = chunks.get('VP8X');
  const image = imageOf(chunks);
  const size = canvas ? canvasSize(canvas) : bitstreamSize(image);
  if (canvas && image.type !== 'ANMF') checkFills(size, bitstreamSize(image));
  const exif = chunks.get('EXIF');
  return {
    ...size,
    orientation: exif ? exifOrientation(exif.content) : 1,
    essence: () =>
      Promise.resolve({
        file: canvas ? extendedFile(canvas, chunks, image) : riff([image]),
        deepProfile: false,
      }),
  };
}

function* chunksOf(bytes: Buffer): Generator<Chunk> {
  const count = partCounter(bytes);
  for (let at = riffHeaderBytes; at + 8 <= bytes.length;) {
    count();
    const length = bytes.readUInt32LE(at + 4);
    const end = at + 8 + length;
    const next = end + (length % 2);
    const type = bytes.toString('latin1', at, at + 4);
    yield { type, whole: bytes.subarray(at, next), content: bytes.subarray(at + 8, end) };
    at = next;
  }
}

function imageOf(chunks: ReadonlyMap<string, Chunk>): Chunk {
  const image = chunks.get('VP8 ') ?? chunks.get('VP8L') ?? chunks.get('ANMF');
  if (!image) throw new ImageError('the WebP has no image: it is cut short or damaged');
  return image;
}

/** Reads the size of the picture from the extended header. */
function canvasSize({ content }: Chunk): Size {
  if (content.length < 10) throw new ImageError('the header of the WebP is damaged');
  return { width: content.readUIntLE(4, 3) + 1, height: content.readUIntLE(7, 3) + 1 };
}

/** Reads the size of an image from its own header, VP8 (RFC 6386, 9.1) or VP8L. */
function bitstreamSize({ type, content }: Chunk): Size {
  const lossy = type === 'VP8 ';
  if (content.length < (lossy ? 10 : 5)) throw new ImageError('the image of the WebP is cut short');
  if (lossy) {
    return { width: content.readUInt16LE(6) & 0x3fff, height: content.readUInt16LE(8) & 0x3fff };
  }
  const bits = content.readUInt32LE(1);
  return { width: (bits & 0x3fff) + 1, height: ((bits >>> 14) & 0x3fff) + 1 };
}

function checkFills(canvas: Size, image: Size): void {
  if (canvas.width !== image.width || canvas.height !== image.height) {
    throw new ImageError('the image of the WebP differs in size from the file');
  }
}

/** Builds a file of the image, its transparency and colours. */
function extendedFile(canvas: Chunk, chunks: ReadonlyMap<string, Chunk>, image: Chunk): Buffer {
  const header = Buffer.from(canvas.whole);
  const profile = chunks.get('ICCP');
  const colours = profile && mustApply(profile.content);
  const dropped = exifFlag | xmpFlag | (colours ? 0 : iccFlag);
  header.writeUInt8(header.readUInt8(8) & ~dropped, 8);
  const parts = [colours ? profile : undefined, chunks.get('ANIM'), chunks.get('ALPH')];
  return riff([{ ...canvas, whole: header }, ...parts.filter((part) => part !== undefined), image]);
}

function riff(chunks: readonly Chunk[]): Buffer {
  // Some writers leave out the padding of the last chunk.
  const padded = chunks.flatMap(({ whole }) => (whole.length % 2 ? [whole, Buffer.alloc(1)] : [whole]));
  const content = Buffer.concat(padded);
  const header = Buffer.from('RIFF\0\0\0\0WEBP', 'latin1');
  header.writeUInt32LE(content.length + 4, 4);
  return Buffer.concat([header, content]);
}
