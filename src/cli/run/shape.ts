import type { ParameterSchema } from '@millrace/protocol';
import type { Size } from '../../image/image.js';

/** What a model allows as width or height, and its own. */
export type SideSchema = Pick<ParameterSchema, 'default' | 'enum' | 'minimum' | 'maximum' | 'multipleOf'>;

/** How much a change of the shape counts, compared to one of the number of pixels. */
const shapeWeight = 4;

/**
 * Returns a size with the shape of a picture and about as many pixels as the model's own size, so that it costs about
 * the same; the model's own size if it has no other.
 */
export function shapeOf(picture: Size, width: SideSchema, height: SideSchema): Size {
  const own = { width: Number(width.default), height: Number(height.default) };
  if (width.enum || height.enum) return own;
  const pixels = own.width * own.height;
  const shape = picture.width / picture.height;
  let best = own;
  let least = Infinity;
  for (const w of sides(Math.sqrt(pixels * shape), width)) {
    for (const h of sides(w / shape, height)) {
      const change = shapeWeight * Math.abs(Math.log(w / h / shape)) + Math.abs(Math.log((w * h) / pixels));
      if (change < least) [best, least] = [{ width: w, height: h }, change];
    }
  }
  return best;
}

/** Returns the allowed lengths next to this one. */
function sides(
  length: number,
  { minimum = 1, maximum = Infinity, multipleOf = 1 }: SideSchema,
): readonly number[] {
  const down = Math.floor(length / multipleOf) * multipleOf;
  const least = Math.ceil(minimum / multipleOf) * multipleOf;
  const most = Math.floor(maximum / multipleOf) * multipleOf;
  return [down, down + multipleOf].map((side) => Math.min(most, Math.max(least, side)));
}
