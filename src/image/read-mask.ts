import type { PictureCodec } from './codec.js';
import type { DecodeOptions } from './decode.js';
import type { Allocate, Image } from './image.js';
import type { Mask } from './mask.js';

/**
 * Decodes a picture as a mask: its brightness, over black where it is transparent. If that is black all over, and parts
 * are transparent, the mask was drawn with a black brush: it is the opacity then.
 * @param options `onSize` is called once.
 * @param allocate allocates the memory of the mask.
 * @throws {ImageError} as `decode` does.
 */
export async function readMask(
  { decode }: Pick<PictureCodec, 'decode'>,
  bytes: Uint8Array,
  options: Pick<DecodeOptions, 'maxPixels' | 'box' | 'onSize'>,
  allocate: Allocate,
): Promise<Mask> {
  const picture = await decode(bytes, options);
  const { width, height } = picture;
  const data = allocate(width * height);
  const mask = { width, height, data };
  writeBrightness(picture, data);
  if (data.some((brightness) => brightness > 0)) return mask;
  const { maxPixels, box } = options;
  writeBrightness(await decode(bytes, { maxPixels, ...(box && { box }), alpha: true }), data);
  return mask;
}

/** Writes the brightness of a picture (luma as in ITU-R BT.601), 0 to 255. */
function writeBrightness({ data }: Image, out: Uint8Array): void {
  for (let i = 0, p = 0; i < out.length; i++, p += 3) {
    out[i] = (77 * (data[p] ?? 0) + 150 * (data[p + 1] ?? 0) + 29 * (data[p + 2] ?? 0)) >> 8;
  }
}
