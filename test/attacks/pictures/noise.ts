import { randomFillSync } from 'node:crypto';
import sharp from 'sharp';

/** Returns pictures of noise, the most expensive content for their size, in files of at most `bytes`. */
export async function noisyPictures(
  width: number,
  height: number,
  bytes: number,
): Promise<readonly Uint8Array[]> {
  const noise = sharp(randomFillSync(Buffer.alloc(width * height * 3)), {
    raw: { width, height, channels: 3 },
  });
  // Noise does not compress losslessly, so these files use an eighth of the resolution.
  const coarse = noise.clone().resize(Math.ceil(width / 8), Math.ceil(height / 8), { kernel: 'nearest' });
  const blown = sharp(await coarse.png().toBuffer()).resize(width, height, {
    kernel: 'nearest',
    fit: 'fill',
  });
  const files = await Promise.all([
    noise.clone().jpeg({ quality: 60 }).toBuffer(),
    noise.clone().jpeg({ quality: 30, progressive: true }).toBuffer(),
    noise.clone().webp({ quality: 30, effort: 0 }).toBuffer(),
    blown.clone().png({ progressive: true, compressionLevel: 1 }).toBuffer(),
    blown.clone().webp({ lossless: true, effort: 0 }).toBuffer(),
  ]);
  return files.filter((file) => file.length < bytes);
}
