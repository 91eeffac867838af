import type { Grid } from '../../src/diffusion/motion.js';
import { Gaussian } from '../../src/diffusion/gaussian.js';

export const grid: Grid = { width: 32, height: 24 };

/** Returns the brightness of cells of a scene at a place: sums of waves, different for each seed. */
export function scene(seed: number, left: number, top: number, { width, height }: Grid = grid): Float32Array {
  const random = new Gaussian(seed);
  const waves = Array.from({ length: 12 }, () => [
    random.next(),
    random.next(),
    6 * random.next(),
    random.uniform(),
  ]);
  return Float32Array.from({ length: width * height }, (_, cell) => {
    const [x, y] = [(cell % width) + left, Math.floor(cell / width) + top];
    const sum = waves.reduce(
      (sum, [fx, fy, phase, weight]) => sum + weight * Math.sin(fx * x + fy * y + phase),
      0,
    );
    return 128 + 30 * sum;
  });
}
