import sharp, { type Sharp } from 'sharp';

function plain(width: number, height: number): Sharp {
  const background = { r: 90, g: 120, b: 60 };
  return sharp({ create: { width, height, channels: 3, background }, limitInputPixels: false });
}

export async function cmykJpeg(width: number, height: number): Promise<Uint8Array> {
  return plain(width, height).toColourspace('cmyk').jpeg().toBuffer();
}

/** Returns a JPEG segment with a length (ITU-T T.81, B.1.1.4). */
function segment(marker: number, bytes: readonly number[] | Uint8Array): Buffer {
  const head = Buffer.of(0xff, marker, 0, 0);
  head.writeUInt16BE(2 + bytes.length, 2);
  return Buffer.concat([head, Buffer.from(bytes)]);
}

/** Returns a Huffman table with one symbol, coded as the bit 0. */
const oneSymbol = (table: number, symbol: number): Buffer =>
  segment(0xc4, [table, 1, ...Array.from({ length: 15 }, () => 0), symbol]);

/**
 * Returns a grey progressive JPEG with 64 scans: one of the means, then one for each of the 63 frequencies (ITU-T
 * T.81, annex G). Nearly all of its bits are 0, and each scan is a pass over the whole picture.
 */
export function manyScans(width: number, height: number): Uint8Array {
  const blocks = Math.ceil(width / 8) * Math.ceil(height / 8);
  const sides = [height >> 8, height & 255, width >> 8, width & 255];
  const scan = (from: number, to: number, bytes: number): Buffer =>
    Buffer.concat([segment(0xda, [1, 1, 0, from, to, 0]), Buffer.alloc(bytes)]);
  // The symbol 0xe0 and 14 bits end at least 16384 blocks.
  const run = Math.ceil((15 * Math.ceil(blocks / 16_384)) / 8);
  return Buffer.concat([
    Buffer.of(0xff, 0xd8),
    segment(0xdb, [0, ...Array.from({ length: 64 }, () => 1)]),
    segment(0xc2, [8, ...sides, 1, 1, 0x11, 0]),
    oneSymbol(0x00, 0),
    oneSymbol(0x10, 0xe0),
    scan(0, 0, Math.ceil(blocks / 8)),
    ...Array.from({ length: 63 }, (_, i) => scan(i + 1, i + 1, run)),
    Buffer.of(0xff, 0xd9),
  ]);
}

/** Returns a small JPEG with application segments of this many bytes in total before its picture. */
export async function loadedJpeg(bytes: number): Promise<Uint8Array> {
  const file = await plain(64, 64).jpeg().toBuffer();
  const names = ['Exif\0\0', 'http://ns.adobe.com/xap/1.0/\0', 'ICC_PROFILE\0', 'anything\0'];
  const segments = Array.from({ length: Math.floor(bytes / 65_000) }, (_, i) => {
    const data = Buffer.alloc(64_990, 'a');
    data.write(names[i % 4], 'latin1');
    // APP1 for EXIF and XMP, APP2 for ICC profiles, whose parts have numbers.
    const isProfile = i % 4 === 2;
    if (isProfile) data.set([(i >> 2) + 1, 255], 12);
    return segment(isProfile ? 0xe2 : 0xe1, data);
  });
  return Buffer.concat([file.subarray(0, 2), ...segments, file.subarray(2)]);
}
