import sharp from 'sharp';
import { type Image, ImageError } from './image.js';
import { readPixels } from './vips.js';

/** Brands of ISO/IEC 23008-12 and AV1 Image File Format. */
const BRANDS: Readonly<Record<string, 'AVIF' | 'HEIC'>> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  heis: 'HEIC',
  hevc: 'HEIC',
  hevx: 'HEIC',
};

/** The kind of picture that the first bytes of a file announce, null for others. */
export function sniffHeif(bytes: Uint8Array): 'AVIF' | 'HEIC' | null {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.toString('latin1', 4, 8) !== 'ftyp') return null;
  const end = Math.min(buffer.length, buffer.readUInt32BE(0));
  const brands: string[] = [];
  for (let at = 8; at + 4 <= end; at += 4) brands.push(buffer.toString('latin1', at, at + 4));
  const major = brands[0] ?? '';
  if (major in BRANDS) return BRANDS[major] ?? null;
  // The general brand of pictures leaves it to the others to say of what kind. Videos may list it among theirs.
  if (major !== 'mif1' && major !== 'msf1') return null;
  return brands.map((brand) => BRANDS[brand]).find((kind) => kind !== undefined) ?? 'HEIC';
}

/**
 * Decodes an AVIF or HEIC picture to RGB, the right way up.
 * @throws {ImageError} if it is damaged, larger than `maxPixels`, or coded as the library here cannot read: HEVC
 * decoders come with none of its packages.
 */
export async function decodeHeif(
  bytes: Uint8Array,
  kind: 'AVIF' | 'HEIC',
  maxPixels: number,
): Promise<Image> {
  const source = sharp(bytes, { failOn: 'truncated', limitInputPixels: false });
  try {
    const { width, height } = await source.metadata();
    if (width * height > maxPixels) {
      throw new ImageError(`the image is too large: ${width}x${height} pixels, the limit is ${maxPixels}`);
    }
    return await readPixels(source, (length) => new Uint8Array(length));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const reason = error instanceof Error ? (error.message.trim().split('\n').at(-1) ?? '') : String(error);
    if (kind === 'HEIC' && /has not been built in|Unsupported|unsupported/.test(reason)) {
      const advice = 'convert it to JPEG, PNG, WebP or AVIF';
      throw new ImageError(`HEIC pictures cannot be read here, for want of a HEVC decoder: ${advice}`, {
        cause: error,
      });
    }
    throw new ImageError(`the ${kind} image cannot be decoded: ${reason}`, { cause: error });
  }
}
