import { cost } from '../call-cost.js';
import type { MeasuredCosts } from './calibration/measure.js';

/** What calibration expects of work at any size, taken as in proportion to the area, in milliseconds. */
export class ExpectedCosts {
  readonly #measured: MeasuredCosts;
  readonly #positions: number;

  /** @param shape of the latents that were measured: [channels, height, width]. */
  constructor(measured: MeasuredCosts, [, height, width]: readonly [number, number, number]) {
    this.#measured = measured;
    this.#positions = height * width;
  }

  /** A U-Net call with rows of this shape: [channels, height, width]. */
  call(rows: number, [, height, width]: readonly [number, number, number]): number {
    return (cost(this.#measured.costs, rows) * height * width) / this.#positions;
  }

  /** Encoding and decoding a picture whose latent has this shape. */
  picture([, height, width]: readonly [number, number, number]): number {
    return (this.#measured.pictureMs * height * width) / this.#positions;
  }
}
