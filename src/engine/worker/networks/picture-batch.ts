import type { Image } from '../../../image/image.js';

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
