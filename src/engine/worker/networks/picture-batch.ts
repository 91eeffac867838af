import type { Image } from '../../../image/image.js';
import type { Scaling } from '../../../model/layout/scaling.js';
import { resample } from './resample.js';
import type { Size } from './sizes.js';

/** Most pictures of a call: a longer one would make all streams wait. */
const maxRows = 8;

/**
 * Returns the results of calls that take all these pictures, a few at a time.
 * @param rows pictures of every call, if the export fixed them.
 * @param call returns a result for each of its pictures.
 */
export async function inBatches<Result>(
  images: readonly Image[],
  rows: number | null,
  call: (images: readonly Image[]) => Promise<readonly Result[]>,
): Promise<readonly Result[]> {
  const most = rows ?? maxRows;
  const results: Result[] = [];
  for (let first = 0; first < images.length; first += most) {
    results.push(...(await call(images.slice(first, first + most))));
  }
  return results;
}

/** Writes a picture, resized, as planes [3, height, width] in the range of a network. */
export function writePlanes(
  { data, width, height }: Image,
  size: Size,
  { scale, shift }: Scaling,
  out: Float32Array,
  order: 'rgb' | 'bgr' = 'rgb',
): void {
  const plane = size.width * size.height;
  for (const channel of [0, 1, 2] as const) {
    const first = order === 'bgr' ? 2 - channel : channel;
    const values = out.subarray(channel * plane, (channel + 1) * plane);
    resample({ values: data, first, step: 3, width, height }, size, values);
    for (let i = 0; i < plane; i++) values[i] = (values[i] ?? 0) * scale[channel] + shift[channel];
  }
}
