import type { Orientation } from './container.js';
import type { Allocate, Box, Image, Size } from './image.js';
import { openPixels, readPixels } from './vips.js';

/** Turns stored pixels upright; an upright picture is returned without a copy. */
export async function turnUpright(
  image: Image,
  orientation: Orientation,
  allocate: Allocate,
): Promise<Image> {
  if (orientation === 1) return image;
  const pixels = openPixels(image);
  if ([4, 5].includes(orientation)) pixels.flip();
  if ([2, 7].includes(orientation)) pixels.flop();
  if (orientation === 3) pixels.rotate(180);
  if (isSideways(orientation)) pixels.rotate(orientation === 8 ? 270 : 90);
  return readPixels(pixels, allocate);
}

/**
 * Returns the size to which pixels may be scaled while they are decoded, so that turning and then fitting gives the
 * same as with all pixels: equal parts are cut off at both sides, and bars are added afterwards.
 * @returns null if the pixels would be enlarged, which saves nothing: libvips does not enlarge both sides equally.
 */
export function boxBeforeTurn(stored: Size, orientation: Orientation, box: Box): Box | null {
  if (orientation === 1) return box;
  const { fit } = box;
  const [width, height] = isSideways(orientation) ? [box.height, box.width] : [box.width, box.height];
  const scales = [width / stored.width, height / stored.height];
  const scale = fit === 'contain' ? Math.min(...scales) : Math.max(...scales);
  if (scale >= 1) return null;
  const scaled = (side: number): number => Math.max(1, Math.round(side * scale));
  const [fullWidth, fullHeight] = [scaled(stored.width), scaled(stored.height)];
  switch (fit) {
    case 'stretch':
      return { width, height, fit };
    case 'contain':
      return { width: fullWidth, height: fullHeight, fit: 'stretch' };
    case 'cover':
      return { width: width + ((fullWidth - width) % 2), height: height + ((fullHeight - height) % 2), fit };
  }
}

/** Returns whether width and height of the stored pixels are swapped. */
function isSideways(orientation: Orientation): boolean {
  return orientation >= 5;
}
