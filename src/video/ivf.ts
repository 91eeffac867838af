import type { Rational } from './timing.js';

/**
 * Returns the header of an IVF file, the simplest container that gives each frame a time in exact ticks: a header of 32
 * bytes, then for each frame its length (32 bits), its time (64 bits) and its bytes; all little-endian.
 */
export function ivfHeader(
  size: { readonly width: number; readonly height: number },
  timebase: Rational,
): Buffer {
  const header = Buffer.alloc(32);
  header.write('DKIF', 0, 'latin1');
  header.writeUInt16LE(32, 6);
  // The code of raw RGB with 24 bits a pixel.
  header.write('RGB\x18', 8, 'latin1');
  header.writeUInt16LE(size.width, 12);
  header.writeUInt16LE(size.height, 14);
  header.writeUInt32LE(timebase.denominator, 16);
  header.writeUInt32LE(timebase.numerator, 20);
  return header;
}

/** Returns the header that precedes the bytes of a frame. */
export function ivfFrameHeader(length: number, time: number): Buffer {
  const header = Buffer.alloc(12);
  header.writeUInt32LE(length, 0);
  header.writeBigUInt64LE(BigInt(time), 4);
  return header;
}
