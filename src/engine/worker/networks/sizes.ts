import type { Image } from '../../../image/image.js';
import type { ModelFolder } from '../../../model/folder.js';

/** Size of an image in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** [channels, height, width] */
export type Shape = readonly [number, number, number];

/** Returns the number of values of this shape. */
export function volume(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** Returns the model's default size, at which costs are measured. */
export function usualSize({ defaults, pixelFactor }: ModelFolder): Size {
  return { width: defaults.width ?? 64 * pixelFactor, height: defaults.height ?? 64 * pixelFactor };
}

/** Returns a black picture of the model's default size. */
export function blankPicture(folder: ModelFolder): Image {
  const size = usualSize(folder);
  return { ...size, data: new Uint8Array(3 * size.width * size.height) };
}

/**
 * Returns the smallest size from this one up that the networks take. The image is padded to it and the result cropped,
 * which gives better borders than odd sizes within the U-Net.
 */
export function filledSize({ networkFactor, fixedSize }: ModelFolder, { width, height }: Size): Size {
  const fill = (side: number): number => Math.ceil(side / networkFactor) * networkFactor;
  return { width: fixedSize.width ?? fill(width), height: fixedSize.height ?? fill(height) };
}

/** Returns the latent shape of an image of this size: [channels, height, width]. */
export function latentShape(folder: ModelFolder, size: Size): Shape {
  const { width, height } = filledSize(folder, size);
  return [folder.latentChannels, height / folder.pixelFactor, width / folder.pixelFactor];
}
