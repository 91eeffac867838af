export type ImageFormat = 'jpeg' | 'png' | 'webp';

const pngSignature = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];
const riff = [0x52, 0x49, 0x46, 0x46];
const webp = [0x57, 0x45, 0x42, 0x50];

/** Returns the format that the first bytes announce; null if Millrace does not read it. */
export function sniffFormat(bytes: Uint8Array): ImageFormat | null {
  const has = (magic: readonly number[], at = 0): boolean =>
    magic.every((byte, index) => bytes[at + index] === byte);
  if (has([0xff, 0xd8, 0xff])) return 'jpeg';
  if (has(pngSignature)) return 'png';
  if (has(riff) && has(webp, 8)) return 'webp';
  return null;
}
