import { cost } from './calibration.js';
import type { MeasuredCosts } from './measure-costs.js';
import type { Size } from './runtime.js';

/** What calibration expects of work at any size, taken as in proportion to the area, in milliseconds. */
export class ExpectedCosts {
  readonly #measured: MeasuredCosts;
  readonly #pixels: number;
  readonly #positions: number;

  /** @param usual the size that was measured. @param shape of its latent: [channels, height, width]. */
  constructor(measured: MeasuredCosts, usual: Size, shape: readonly [number, number, number]) {
    this.#measured = measured;
    this.#pixels = usual.width * usual.height;
    this.#positions = shape[1] * shape[2];
  }

  /** A U-Net call with rows of this shape: [channels, height, width]. */
  call(rows: number, [, height, width]: readonly [number, number, number]): number {
    return (cost(this.#measured.costs, rows) * height * width) / this.#positions;
  }

  /** Encoding a picture and decoding one. */
  picture({ width, height }: Size): number {
    return (this.#measured.pictureMs * width * height) / this.#pixels;
  }
}
