import type { Image } from '../../../image/image.js';
import { resample } from './resample.js';

/** Cells along the longer side: what is left of a picture. */
const cells = 12;

/** Blurs a picture, in its memory, until only its colours can be recognised: those of some cells, and between them. */
export function blur({ width, height, data }: Image): void {
  const side = Math.max(1, Math.ceil(Math.max(width, height) / cells));
  const columns = Math.ceil(width / side);
  const rows = Math.ceil(height / side);
  const planes = [0, 1, 2].map((channel) => {
    const means = new Float32Array(columns * rows);
    const counts = new Float32Array(columns * rows);
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const cell = Math.floor(y / side) * columns + Math.floor(x / side);
        means[cell] = (means[cell] ?? 0) + (data[(y * width + x) * 3 + channel] ?? 0);
        counts[cell] = (counts[cell] ?? 0) + 1;
      }
    }
    const values = means.map((sum, cell) => sum / (counts[cell] ?? 1));
    const plane = new Float32Array(width * height);
    resample({ values, first: 0, step: 1, width: columns, height: rows }, { width, height }, plane);
    return plane;
  });
  for (let i = 0; i < data.length; i++) data[i] = Math.round(planes[i % 3]?.[Math.floor(i / 3)] ?? 0);
}
