import { encodeJpeg } from '../../image/encode.js';
import { fitImage } from '../../image/fit.js';
import { styleQuality } from '../../session/live/style-images.js';
import { RunError } from './run-error.js';
import { readStill } from './still.js';

/**
 * Reads a style image, and makes it small.
 * @param side of the square that the model's image encoder takes; null if the model has none.
 * @throws {RunError} that names the file, or says that the model takes none.
 */
export async function readStyleImage(file: string, side: number | null): Promise<Uint8Array> {
  if (side === null) {
    throw new RunError(
      '--style-image cannot be used: the model has no image encoder (export it with --ip-adapter)',
    );
  }
  const image = await readStill(file);
  return encodeJpeg(await fitImage(image, { width: side, height: side }, 'cover'), styleQuality);
}
