import type { Capabilities } from '@millrace/client';

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The aspect ratios that users choose from, width over height. */
export const aspects = [
  { name: '1:1', ratio: 1 },
  { name: '4:3', ratio: 4 / 3 },
  { name: '3:4', ratio: 3 / 4 },
  { name: '16:9', ratio: 16 / 9 },
  { name: '9:16', ratio: 9 / 16 },
] as const;

/** Sides of a square, as parts of the model's default one, from which users choose. */
const scales = [0.5, 0.75, 1, 1.5, 2, 3, 4];

/** What a model allows for width and height. */
export interface SizeLimits {
  /** Side of the default picture if it were a square. */
  readonly side: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Sides are multiples of this. */
  readonly multipleOf: number;
}

/** Returns the limits on sizes; undefined if the model has one size only. */
export function sizeLimits({ parameters: { properties } }: Capabilities): SizeLimits | undefined {
  const { width, height } = properties;
  if (width.enum !== undefined || height.enum !== undefined) return undefined;
  return {
    side: Math.sqrt(Number(width.default) * Number(height.default)),
    minimum: Math.max(width.minimum ?? 1, height.minimum ?? 1),
    maximum: Math.min(width.maximum ?? Infinity, height.maximum ?? Infinity),
    multipleOf: width.multipleOf ?? 1,
  };
}

/** Returns the allowed size of this aspect ratio with about as many pixels as a square of this side. */
export function sizeOf(ratio: number, side: number, limits: SizeLimits): Size {
  const { minimum, maximum, multipleOf } = limits;
  const allowed = (length: number): number =>
    Math.min(maximum, Math.max(minimum, Math.round(length / multipleOf) * multipleOf));
  return { width: allowed(side * Math.sqrt(ratio)), height: allowed(side / Math.sqrt(ratio)) };
}

/** Returns the sides of squares that the model allows, and this one. */
export function sidesFor(limits: SizeLimits, present: number): readonly number[] {
  const offered = scales
    .map((scale) => scale * limits.side)
    .filter((side) => side >= limits.minimum && side <= limits.maximum);
  const isOffered = offered.some((side) => Math.abs(side / present - 1) < 0.1);
  return (isOffered ? offered : [...offered, present]).toSorted((a, b) => a - b);
}

/**
 * Returns how many frames of this size the server can make in a second if it makes no others; 0 if it refuses the size.
 * @param rows U-Net rows of a frame.
 */
export function framesPerSecond(
  costs: NonNullable<Capabilities['frame_costs']>,
  { width, height }: Size,
  rows: number,
): number {
  const pixels = width * height;
  if (pixels > (costs.most_pixels ?? Infinity)) return 0;
  const area = pixels / (costs.width * costs.height);
  return 1000 / (area * (costs.picture_ms + rows * costs.step_ms));
}

/** Returns a number of frames for people: exact while there are few. */
export function inFrames(fps: number): string {
  return fps < 2 ? fps.toFixed(1) : String(Math.round(fps));
}
