import { readFile } from 'node:fs/promises';
import { decodeImage } from '../../image/decode.js';
import { decodeHeif, sniffHeif } from '../../image/heif.js';
import { type Image, ImageError } from '../../image/image.js';
import { codeOf } from '../error-code.js';
import { RunError } from './run-error.js';

/** Larger pictures are refused; 8K video and nearly all photos are smaller. */
export const maxPixels = 200_000_000;

/** Reads a picture, upright. @throws {RunError} that names the file. */
export async function readStill(file: string): Promise<Image> {
  try {
    const bytes = await readFile(file);
    if (bytes.length === 0) throw new ImageError('the file is empty');
    const heif = sniffHeif(bytes);
    if (heif !== null) return await decodeHeif(bytes, heif, maxPixels);
    return await decodeImage(bytes, { maxPixels });
  } catch (error) {
    if (error instanceof ImageError) throw new RunError(`${file}: ${error.message}`, { cause: error });
    const code = codeOf(error);
    if (code !== undefined) throw new RunError(`${file} cannot be read (${code})`, { cause: error });
    throw error;
  }
}
