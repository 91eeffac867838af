import { ImageError } from './image.js';

export type ImageFormat = 'jpeg' | 'png' | 'webp';

const PNG_SIGNATURE = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const RIFF = [0x52, 0x49, 0x46, 0x46];
const WEBP = [0x57, 0x45, 0x42, 0x50];

/** The format that the first bytes announce, null when it is none that Millrace reads. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | null {
  const has = (magic: readonly number[], at = 0): boolean =>
    magic.every((byte, index) => bytes[at + index] === byte);
  if (has([0xff, 0xd8, 0xff])) return 'jpeg';
  if (has(PNG_SIGNATURE)) return 'png';
  if (has(RIFF) && has(WEBP, 8)) return 'webp';
  return null;
}

/**
 * Size of a JPEG by its frame header (ITU-T T.81, B.2.2), without decoding anything. Strict, since the memory for the
 * pixels goes by it: a decoder must not find another header than this one. So nothing but the segments that decoders
 * pass over by their length may come before it; markers without a length, and bytes between segments, may not.
 * @throws {ImageError} when no such frame header is found.
 */
export function jpegSize(bytes: Uint8Array): { readonly width: number; readonly height: number } {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let at = 2;
  while (at + 9 <= bytes.length && view.getUint8(at) === 0xff) {
    const marker = view.getUint8(at + 1);
    if (isFrameHeader(marker)) return { width: view.getUint16(at + 7), height: view.getUint16(at + 5) };
    // A marker may be padded with any number of 0xff.
    if (marker === 0xff) at += 1;
    else if (isPreface(marker)) at += 2 + view.getUint16(at + 2);
    else break;
  }
  throw new ImageError('the JPEG has no frame header: it is cut short or damaged');
}

/** SOF0 to SOF15, among which DHT, JPG and DAC have their places. */
function isFrameHeader(marker: number): boolean {
  return marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc;
}

/** Tables (DHT, DAC, DQT, DRI), APP0 to APP15 and comments. */
function isPreface(marker: number): boolean {
  return [0xc4, 0xcc, 0xdb, 0xdd, 0xfe].includes(marker) || (marker >= 0xe0 && marker <= 0xef);
}

/** How many scans a JPEG has at most: each is a pass over the whole picture, however few bytes it takes. */
export function jpegScans(bytes: Uint8Array): number {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let scans = 0;
  for (let at = buffer.indexOf(scanMarker); at >= 0; at = buffer.indexOf(scanMarker, at + 2)) scans += 1;
  return scans;
}

const scanMarker = Buffer.of(0xff, 0xda);
