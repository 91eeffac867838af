import type { Image } from './image.js';
import { openPixels } from './vips.js';

/** Longest side of a preview, in pixels. */
const side = 160;
const quality = 75;

/** Encodes a small copy of a picture as a JPEG, off this thread. `image.data` must not change before it settles. */
export async function encodePreview(image: Image): Promise<Uint8Array<ArrayBuffer>> {
  const small = openPixels(image).resize(side, side, { fit: 'inside', withoutEnlargement: true });
  return new Uint8Array(await small.jpeg({ quality }).toBuffer());
}
