import type { Orientation } from './container.js';

const exifPrefix = Buffer.from('Exif\0\0', 'latin1');
const orientationTag = 0x0112;
const shortType = 3;

/**
 * Reads the orientation from a block of Exif metadata: a TIFF header and its first directory, with or without the
 * `Exif` prefix.
 * @returns 1 (upright) if there is no valid orientation.
 */
export function exifOrientation(block: Uint8Array): Orientation {
  const start = hasExifPrefix(block) ? exifPrefix.length : 0;
  const view = new DataView(block.buffer, block.byteOffset + start, block.byteLength - start);
  if (view.byteLength < 8) return 1;
  const byteOrder = view.getUint16(0);
  if (byteOrder !== 0x4949 && byteOrder !== 0x4d4d) return 1;
  const little = byteOrder === 0x4949;
  const directory = view.getUint32(4, little);
  if (view.getUint16(2, little) !== 42 || directory + 2 > view.byteLength) return 1;
  const first = directory + 2;
  const end = Math.min(first + 12 * view.getUint16(directory, little), view.byteLength - 11);
  for (let at = first; at < end; at += 12) {
    if (view.getUint16(at, little) !== orientationTag) continue;
    if (view.getUint16(at + 2, little) !== shortType) return 1;
    const value = view.getUint16(at + 8, little);
    return isOrientation(value) ? value : 1;
  }
  return 1;
}

/** Returns whether a JPEG APP1 segment is Exif metadata: XMP has the same marker. */
export function hasExifPrefix(block: Uint8Array): boolean {
  return exifPrefix.every((byte, index) => block[index] === byte);
}

function isOrientation(value: number): value is Orientation {
  return value >= 1 && value <= 8;
}
