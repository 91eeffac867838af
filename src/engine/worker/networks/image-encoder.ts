import type { ImageEncoderLayout } from '../../../model/layout/steered.js';
import { normalisation } from '../../../model/layout/scaling.js';
import { requireFinite } from './finite.js';
import type { OnnxPart } from './onnx-part.js';
import { PicturePlanes } from './picture-planes.js';

/** What a style image gives to rows [tokens, width]: to positive ones, and to negative ones. */
export interface StyleTokens {
  readonly positive: Float32Array;
  readonly negative: Float32Array;
}

type Part = Pick<OnnxPart, 'runFor'>;

/** The image encoder of an IP-Adapter: it runs once for each style image. */
export class ImageEncoder implements AsyncDisposable {
  readonly #layout: ImageEncoderLayout;
  readonly #part: Part;
  readonly #planes: PicturePlanes;

  private constructor(layout: ImageEncoderLayout, part: Part, planes: PicturePlanes) {
    this.#layout = layout;
    this.#part = part;
    this.#planes = planes;
  }

  /** @param threads for pictures before the network. */
  static async create(layout: ImageEncoderLayout, part: Part, threads = 1): Promise<ImageEncoder> {
    const scaling = normalisation(layout.image_mean, layout.image_std);
    return new ImageEncoder(layout, part, await PicturePlanes.load(scaling, 'rgb', threads));
  }

  /** Disposes of what it made itself: the network belongs to the caller. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#planes[Symbol.asyncDispose]();
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
  async encode(pixels: Uint8Array<ArrayBuffer>): Promise<StyleTokens> {
    const { side } = this;
    const area = side * side;
    if (pixels.length < 3 * area) {
      throw new RangeError(
        `a style image must have ${side} x ${side} pixels, not ${pixels.length / 3} in all`,
      );
    }
    const planes = new Float32Array(3 * area);
    await this.#planes.write(
      { width: side, height: side, data: pixels },
      { width: side, height: side },
      planes,
    );
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
