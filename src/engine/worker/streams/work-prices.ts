import type { Shape } from '../networks/sizes.js';
import type { ExpectedCosts } from '../../costs.js';

/** How much of the difference to each measured price goes into the price. */
const following = 1 / 8;
/** Bounds of a measured price, as multiples of what calibration expects: beyond them it was a stall. */
const credible = [0.25, 4] as const;
/** Prices that are remembered: those used last. */
const mostPrices = 512;

/** Work whose price is remembered. */
interface Work {
  readonly name: string;
  /** Milliseconds that calibration expects of it. */
  readonly expectedMs: number;
}

/**
 * What the work of a stream costs, as measured here, so that shares are equal in time: a row of four times the area
 * takes about four times as long. The unit is a row of the model's usual size in a full call.
 */
export class WorkPrices {
  readonly #expected: ExpectedCosts;
  readonly #rowBudget: number;
  readonly #unitMs: number;
  /** Milliseconds, in the order of their last use: a Map keeps insertion order. */
  readonly #prices = new Map<string, number>();

  /** @param usual shape of the latents of the model's usual size: [channels, height, width]. */
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

  /** Returns the price of a row. @param kind of rows that can share a call; they have this shape. */
  row(kind: string, shape: Shape): number {
    return this.unitsOf(this.#price(this.#row(kind, shape)));
  }

  /** Returns the price of encoding and decoding a picture whose latent has this shape. */
  picture(shape: Shape): number {
    return this.unitsOf(this.#price(this.#picture(shape)));
  }

  /** Notes how long a call took. */
  observeCall(
    kind: string,
    shape: Shape,
    { rows, ms }: { readonly rows: number; readonly ms: number },
  ): void {
    this.#follow(this.#row(kind, shape), ms / rows);
  }

  /** Notes how long it took to encode and decode a picture. */
  observePicture(shape: Shape, ms: number): void {
    this.#follow(this.#picture(shape), ms);
  }

  #row(kind: string, shape: Shape): Work {
    return {
      name: `row ${kind}`,
      expectedMs: this.#expected.call(this.#rowBudget, shape) / this.#rowBudget,
    };
  }

  #picture(shape: Shape): Work {
    return { name: `picture ${shape.join('x')}`, expectedMs: this.#expected.picture(shape) };
  }

  #price({ name, expectedMs }: Work): number {
    return this.#prices.get(name) ?? expectedMs;
  }

  #follow(work: Work, measuredMs: number): void {
    const [least, most] = credible;
    const { name, expectedMs } = work;
    const before = this.#price(work);
    const sample = Math.min(Math.max(measuredMs, least * expectedMs), most * expectedMs);
    this.#prices.delete(name);
    this.#prices.set(name, before + (sample - before) * following);
    const [oldest] = this.#prices.keys();
    if (this.#prices.size > mostPrices && oldest !== undefined) this.#prices.delete(oldest);
  }
}
