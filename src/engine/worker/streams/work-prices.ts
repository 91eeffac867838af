import type { Shape } from '../networks/sizes.js';
import type { ExpectedCosts, SteeredUse } from '../../costs.js';

/** Weight of each new measurement in the price (an exponential moving average). */
const smoothing = 1 / 8;
/** Bounds of a measured price, as multiples of the calibrated one: outliers are stalls. */
const priceBounds = [0.25, 4] as const;
/** Most prices that are kept: the most recently updated. */
const mostPrices = 512;

/** A kind of work that has a price. */
interface PricedWork {
  readonly name: string;
  /** Milliseconds expected by calibration. */
  readonly expectedMs: number;
}

/**
 * Measured prices of the work of streams, so that equal shares are equal in time: a row of four times the area takes
 * about four times as long. The unit is a row of the model's default size in a full call.
 */
export class WorkPrices {
  readonly #expected: ExpectedCosts;
  readonly #rowBudget: number;
  readonly #unitMs: number;
  /** Milliseconds, least recently updated first: a Map keeps insertion order. */
  readonly #prices = new Map<string, number>();

  /** @param usual latent shape at the model's default size: [channels, height, width]. */
  constructor(
    expected: ExpectedCosts,
    { rowBudget, usual }: { readonly rowBudget: number; readonly usual: Shape },
  ) {
    this.#expected = expected;
    this.#rowBudget = rowBudget;
    this.#unitMs = expected.call(rowBudget, usual) / rowBudget;
  }

  /** Converts milliseconds of the device to the unit of prices. */
  unitsOf(ms: number): number {
    return ms / this.#unitMs;
  }

  /**
   * Returns the price of a row.
   * @param kind of rows of this shape that can share a call.
   * @param use what they use of the steered U-Net, if they take it.
   */
  row(kind: string, shape: Shape, use: SteeredUse | null = null): number {
    return this.unitsOf(this.#price(this.#row(kind, shape, use)));
  }

  /** Returns the price of encoding and decoding a picture whose latent has this shape. */
  picture(shape: Shape): number {
    return this.unitsOf(this.#price(this.#picture(shape)));
  }

  /**
   * Returns the price of a picture that a preprocessor of the model makes. That is not calibrated: until it is measured,
   * it counts as much as encoding and decoding a picture.
   * @param kind of pictures that can share a call.
   * @param shape of the latents of frames of their size.
   */
  preprocessed(kind: string, shape: Shape): number {
    return this.unitsOf(this.#price(this.#preprocessed(kind, shape)));
  }

  /** Updates the price of a row from a measured call. */
  observeCall(
    kind: string,
    shape: Shape,
    call: { readonly rows: number; readonly ms: number; readonly use?: SteeredUse | null },
  ): void {
    this.#follow(this.#row(kind, shape, call.use ?? null), call.ms / call.rows);
  }

  /** Updates the price of a picture from measured encoding and decoding. */
  observePicture(shape: Shape, ms: number): void {
    this.#follow(this.#picture(shape), ms);
  }

  /** Updates the price of a picture that a preprocessor makes from its share of a measured call. */
  observePreprocessed(kind: string, shape: Shape, ms: number): void {
    const work = this.#preprocessed(kind, shape);
    // The bounds are multiples of the price so far, as any number of milliseconds may be right.
    this.#follow({ ...work, expectedMs: this.#price(work) }, ms);
  }

  #row(kind: string, shape: Shape, use: SteeredUse | null): PricedWork {
    return {
      name: `row ${kind}`,
      expectedMs: this.#expected.call(this.#rowBudget, shape, use) / this.#rowBudget,
    };
  }

  #picture(shape: Shape): PricedWork {
    return { name: `picture ${shape.join('x')}`, expectedMs: this.#expected.picture(shape) };
  }

  #preprocessed(kind: string, shape: Shape): PricedWork {
    return { name: kind, expectedMs: this.#expected.picture(shape) };
  }

  #price({ name, expectedMs }: PricedWork): number {
    return this.#prices.get(name) ?? expectedMs;
  }

  #follow(work: PricedWork, measuredMs: number): void {
    const [least, most] = priceBounds;
    const { name, expectedMs } = work;
    const before = this.#price(work);
    const sample = Math.min(Math.max(measuredMs, least * expectedMs), most * expectedMs);
    this.#prices.delete(name);
    this.#prices.set(name, before + (sample - before) * smoothing);
    const [oldest] = this.#prices.keys();
    if (this.#prices.size > mostPrices && oldest !== undefined) this.#prices.delete(oldest);
  }
}
