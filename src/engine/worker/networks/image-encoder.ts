import type { ImageEncoderLayout } from '../../../model/layout/steered.js';
import { requireFinite } from './finite.js';
import type { OnnxPart } from './onnx-part.js';

/** What a style image gives to rows [tokens, width]: to positive ones, and to negative ones. */
export interface StyleTokens {
  readonly positive: Float32Array;
  readonly negative: Float32Array;
}

/** The image encoder of an IP-Adapter: it runs once for each style image. */
export class ImageEncoder {
  readonly #layout: ImageEncoderLayout;
  readonly #part: Pick<OnnxPart, 'runFor'>;

  constructor(layout: ImageEncoderLayout, part: Pick<OnnxPart, 'runFor'>) {
    this.#layout = layout;
    this.#part = part;
  }

  /** Side of the pictures that it takes. */
  get side(): number {
    return this.#layout.image_size;
  }

  /**
   * Returns the tokens of a square picture.
   * @param pixels RGB bytes, image_size * image_size of them.
   * @throws {NotFiniteError} if any value is NaN or infinite.
   */
  async encode(pixels: Uint8Array): Promise<StyleTokens> {
    const { image_size: side, image_mean: mean, image_std: deviation } = this.#layout;
    const area = side * side;
    if (pixels.length < 3 * area) {
      throw new RangeError(
        `a style image must have ${side} x ${side} pixels, not ${pixels.length / 3} in all`,
      );
    }
    const planes = new Float32Array(3 * area);
    for (let i = 0; i < planes.length; i++) {
      const channel = Math.floor(i / area);
      const value = (pixels[3 * (i % area) + channel] ?? 0) / 255;
      planes[i] = (value - (mean[channel] ?? 0)) / (deviation[channel] ?? 1);
    }
    return this.encodePlanes(planes);
  }

  /** Does the same for planes [3, image_size, image_size] that are normalised already. */
  async encodePlanes(planes: Float32Array): Promise<StyleTokens> {
    const { pixels, image_size: side, tokens, width, imageTokens, negativeTokens } = this.#layout;
    const shape = [1, tokens, width];
    const results = await this.#part.runFor(
      [{ port: pixels, data: planes, shape: [1, 3, side, side] }],
      [imageTokens, negativeTokens].map((port) => ({ port, shape })),
    );
    const [positive, negative] = results.map((values) => values.slice());
    if (!positive || !negative) throw new RangeError('the image encoder gave no tokens');
    requireFinite('image_encoder', positive);
    requireFinite('image_encoder', negative);
    return { positive, negative };
  }
}
