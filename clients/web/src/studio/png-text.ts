// International text in PNG files: chunks iTXt, PNG (third edition) section 11.3.3.4.

const signature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
/** Length and type before the data of a chunk, and the checksum after it, in bytes. */
const headBytes = 8;
const checksumBytes = 4;

/** Returns a PNG file with these texts in it, by their keywords. */
export function withTexts(png: Uint8Array<ArrayBuffer>, texts: Readonly<Record<string, string>>): Blob {
  // The first chunk, the header, has 13 bytes of data.
  const start = signature.length + headBytes + 13 + checksumBytes;
  const chunks = Object.entries(texts).map(([keyword, text]) => textChunk(keyword, text));
  return new Blob([png.subarray(0, start), ...chunks, png.subarray(start)], { type: 'image/png' });
}

/** Returns the text of a PNG file under a keyword; undefined if it has none, or is not a PNG file. */
export function textOf(png: Uint8Array, keyword: string): string | undefined {
  if (!signature.every((byte, i) => png[i] === byte)) return undefined;
  const view = new DataView(png.buffer, png.byteOffset, png.byteLength);
  let at = signature.length;
  while (at + headBytes <= png.length) {
    const start = at + headBytes;
    const end = start + view.getUint32(at);
    if (end > png.length) return undefined;
    const type = decode(png.subarray(at + 4, start));
    const text = type === 'iTXt' ? readText(png.subarray(start, end), keyword) : undefined;
    if (text !== undefined) return text;
    at = end + checksumBytes;
  }
  return undefined;
}

/** @returns undefined if it is compressed, or has another keyword. */
function readText(data: Uint8Array, keyword: string): string | undefined {
  const parts = [data.indexOf(0)];
  const [end = -1] = parts;
  if (end < 0 || decode(data.subarray(0, end)) !== keyword || data[end + 1] !== 0) return undefined;
  const language = data.indexOf(0, end + 3);
  const translated = data.indexOf(0, language + 1);
  if (language < 0 || translated < 0) return undefined;
  return decode(data.subarray(translated + 1));
}

function textChunk(keyword: string, text: string): Uint8Array<ArrayBuffer> {
  // Not compressed, without a language or a translated keyword.
  const data = new TextEncoder().encode(`iTXt${keyword}\0\0\0\0\0${text}`);
  const chunk = new Uint8Array(4 + data.length + checksumBytes);
  const view = new DataView(chunk.buffer);
  view.setUint32(0, data.length - 4);
  chunk.set(data, 4);
  view.setUint32(4 + data.length, checksum(data));
  return chunk;
}

/** Returns the CRC-32 of ISO 3309. */
function checksum(data: Uint8Array): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function decode(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
