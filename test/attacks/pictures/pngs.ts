import { crc32, deflateSync } from 'node:zlib';

const signature = Buffer.of(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a);

/** Returns a PNG chunk (RFC 2083 section 3.2). */
function chunk(type: string, data: Uint8Array = new Uint8Array()): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data]);
  const ends = Buffer.alloc(8);
  ends.writeUInt32BE(data.length, 0);
  ends.writeUInt32BE(crc32(body), 4);
  return Buffer.concat([ends.subarray(0, 4), body, ends.subarray(4)]);
}

/** Returns a black greyscale picture, with further chunks before its pixels. */
export function blackPng(width: number, height: number, chunks: readonly Uint8Array[] = []): Uint8Array {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 8;
  const pixels = deflateSync(Buffer.alloc((1 + width) * height));
  return Buffer.concat([signature, chunk('IHDR', header), ...chunks, chunk('IDAT', pixels), chunk('IEND')]);
}

const text = (value: string): Buffer => Buffer.from(`${value}\0`, 'latin1');

/** Chunks of a few kilobytes each that unpack to this many bytes. */
export const swollenChunks = {
  zTXt: (bytes: number) =>
    chunk('zTXt', Buffer.concat([text('Comment'), Buffer.of(0), deflateSync(Buffer.alloc(bytes, 'a'))])),
  iTXt: (bytes: number) =>
    chunk(
      'iTXt',
      Buffer.concat([text('Comment'), Buffer.of(1, 0, 0, 0), deflateSync(Buffer.alloc(bytes, 'a'))]),
    ),
  iCCP: (bytes: number) =>
    chunk('iCCP', Buffer.concat([text('Profile'), Buffer.of(0), deflateSync(Buffer.alloc(bytes))])),
} as const;

/** Returns an uncompressed chunk of this many bytes. */
export const rawChunk = (type: string, bytes: number): Uint8Array => chunk(type, Buffer.alloc(bytes, 'a'));
