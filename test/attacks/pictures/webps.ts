/** Returns a RIFF chunk, padded to an even length. */
function chunk(type: string, data: Uint8Array): Buffer {
  const size = Buffer.alloc(4);
  size.writeUInt32LE(data.length);
  return Buffer.concat([Buffer.from(type, 'latin1'), size, data, Buffer.alloc(data.length % 2)]);
}

function webp(...chunks: readonly Uint8Array[]): Uint8Array {
  return chunk('RIFF', Buffer.concat([Buffer.from('WEBP', 'latin1'), ...chunks]));
}

/**
 * Returns lossless WebP data of one colour: each of its five prefix codes has one symbol, so that a pixel takes no bit
 * (RFC 9649 section 3).
 */
function oneColour(width: number, height: number): Buffer {
  let bits = 0n;
  let count = 0n;
  const put = (value: number, length: bigint): void => {
    bits |= BigInt(value) << count;
    count += length;
  };
  put(0x2f, 8n);
  put(width - 1, 14n);
  put(height - 1, 14n);
  // No alpha, version 0; no transform, no colour cache, no meta prefix codes.
  put(0, 1n + 3n + 3n);
  for (let code = 0; code < 5; code++) put(1, 4n);
  const data = Buffer.alloc(Number((count + 7n) / 8n) + 1);
  for (let i = 0; i < data.length; i++) data[i] = Number((bits >> BigInt(8 * i)) & 0xffn);
  return data;
}

/** Returns a picture of a few bytes, with sides up to 16,384. */
export function tinyWebp(width: number, height: number): Uint8Array {
  return webp(chunk('VP8L', oneColour(width, height)));
}

/** Returns a small picture with this many bytes of each kind of metadata. */
export function loadedWebp(bytes: number): Uint8Array {
  const [width, height] = [64, 64];
  const header = Buffer.alloc(10);
  // ICC profile, EXIF and XMP.
  header[0] = 0x20 | 0x08 | 0x04;
  header.writeUIntLE(width - 1, 4, 3);
  header.writeUIntLE(height - 1, 7, 3);
  const filler = Buffer.alloc(bytes, 'a');
  return webp(
    chunk('VP8X', header),
    chunk('ICCP', filler),
    chunk('VP8L', oneColour(width, height)),
    chunk('EXIF', filler),
    chunk('XMP ', filler),
  );
}
