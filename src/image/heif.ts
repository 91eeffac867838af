import sharp from 'sharp';
import { asBuffer } from './container.js';
import { checkPixels, type Image, ImageError } from './image.js';
import { decodeError, readPixels } from './vips.js';

/** Brands of ISO/IEC 23008-12 and AV1 Image File Format. */
const brandKinds: Readonly<Record<string, 'AVIF' | 'HEIC'>> = {
  avif: 'AVIF',
  avis: 'AVIF',
  heic: 'HEIC',
  heix: 'HEIC',
  heim: 'HEIC',
  heis: 'HEIC',
  hevc: 'HEIC',
  hevx: 'HEIC',
};

/** Returns the format that the first bytes of a file announce; null for all others. */
export function sniffHeif(bytes: Uint8Array): 'AVIF' | 'HEIC' | null {
  const buffer = asBuffer(bytes);
  if (buffer.toString('latin1', 4, 8) !== 'ftyp') return null;
  const end = Math.min(buffer.length, buffer.readUInt32BE(0));
  const brands: string[] = [];
  for (let at = 8; at + 4 <= end; at += 4) brands.push(buffer.toString('latin1', at, at + 4));
  const major = brands[0] ?? '';
  if (major in brandKinds) return brandKinds[major] ?? null;
  // With the general picture brand, the other brands name the format. Videos may list it too.
  if (major !== 'mif1' && major !== 'msf1') return null;
  return brands.map((brand) => brandKinds[brand]).find((kind) => kind !== undefined) ?? 'HEIC';
}

/**
 * Decodes an AVIF or HEIC picture to RGB, upright.
 * @throws {ImageError} if it is damaged, larger than `maxPixels`, or HEVC: no package of sharp can decode that.
 */
export async function decodeHeif(
  bytes: Uint8Array,
  kind: 'AVIF' | 'HEIC',
  maxPixels: number,
): Promise<Image> {
  const source = sharp(bytes, { failOn: 'truncated', limitInputPixels: false });
  try {
    checkPixels(await source.metadata(), maxPixels);
    return await readPixels(source, (length) => new Uint8Array(length));
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const failure = decodeError(kind, error);
    if (kind === 'HEIC' && /has not been built in|Unsupported|unsupported/.test(failure.message)) {
      const problem = 'HEIC pictures cannot be read here: there is no HEVC decoder';
      throw new ImageError(`${problem}; convert it to JPEG, PNG, WebP or AVIF`, { cause: error });
    }
    throw failure;
  }
}
