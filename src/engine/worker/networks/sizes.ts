import type { ModelFolder } from '../../../model/folder.js';

/** Size of an image in pixels. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** [channels, height, width] */
export type Shape = readonly [number, number, number];

/** How many values something of this shape has. */
export function volume(shape: readonly number[]): number {
  return shape.reduce((product, side) => product * side, 1);
}

/** The size that costs are measured at: the model's own. */
export function usualSize({ defaults, pixelFactor }: ModelFolder): Size {
  return { width: defaults.width ?? 64 * pixelFactor, height: defaults.height ?? 64 * pixelFactor };
}

/**
 * Size of what the networks work on for an image of this size: it, or the next larger one that they take. The image
 * is filled up to it and the result is cut again, which makes better borders than odd sizes within the U-Net.
 */
export function filledSize({ networkFactor, fixedSize }: ModelFolder, { width, height }: Size): Size {
  const fill = (side: number): number => Math.ceil(side / networkFactor) * networkFactor;
  return { width: fixedSize.width ?? fill(width), height: fixedSize.height ?? fill(height) };
}

/** [channels, height, width] of the latent of an image of this size. */
export function latentShape(folder: ModelFolder, size: Size): Shape {
  const { width, height } = filledSize(folder, size);
  return [folder.latentChannels, height / folder.pixelFactor, width / folder.pixelFactor];
}
