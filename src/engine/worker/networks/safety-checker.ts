import type { Image } from '../../../image/image.js';
import type { SafetyLayout } from '../../../model/layout/safety-checker.js';
import { ModelError } from '../../../model/model-error.js';
import { Scratch, type OnnxPart } from './onnx-part.js';
import { inBatches } from './picture-batch.js';
import { PicturePlanes } from './picture-planes.js';
import { placePart, type Placing } from './place-part.js';

type Part = Pick<OnnxPart, 'runOpen'> & AsyncDisposable;

/** A classifier that finds pictures that should not be shown, of several streams in one call. */
export class SafetyChecker implements AsyncDisposable {
  readonly #layout: SafetyLayout;
  readonly #part: Part;
  readonly #planes: PicturePlanes;
  readonly #values = new Scratch();

  private constructor(layout: SafetyLayout, part: Part, planes: PicturePlanes) {
    this.#layout = layout;
    this.#part = part;
    this.#planes = planes;
  }

  /** @throws {ModelError} if the network cannot be loaded, or does not return one or two logits a picture. */
  static async load(layout: SafetyLayout, options: Placing): Promise<SafetyChecker> {
    const make = (part: Part, threads: number): Promise<SafetyChecker> =>
      SafetyChecker.create(layout, part, threads);
    const { made } = await placePart('safety checker', layout.graph.file, options, { make });
    return made;
  }

  /**
   * Does the same with a network that is loaded. It is tried with a black picture: graphs do not state all of this.
   * @param threads for pictures before the network.
   */
  static async create(layout: SafetyLayout, part: Part, threads = 1): Promise<SafetyChecker> {
    const planes = await PicturePlanes.load(layout, 'rgb', threads);
    try {
      const checker = new SafetyChecker(layout, part, planes);
      await checker.probabilities([{ width: 1, height: 1, data: new Uint8Array(3) }]);
      return checker;
    } catch (error) {
      await planes[Symbol.asyncDispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#planes[Symbol.asyncDispose]();
    await this.#part[Symbol.asyncDispose]();
  }

  /** Returns whether a picture of this probability is flagged; one that is not a number is. */
  isFlagged(probability: number): boolean {
    return !(probability < this.#layout.threshold);
  }

  /** Returns for each picture how probable it is that it should not be shown; NaN if the network computes NaN. */
  async probabilities(images: readonly Image[]): Promise<readonly number[]> {
    return inBatches(images, this.#layout.rows, (batch) => this.#call(batch));
  }

  async #call(images: readonly Image[]): Promise<readonly number[]> {
    const { graph, input, output, rows, size, flaggedLogit } = this.#layout;
    const length = 3 * size.width * size.height;
    // If the export fixed the number of pictures, the rows left over keep what they had.
    const count = rows ?? images.length;
    const data = this.#values.take(count * length);
    for (const [row, image] of images.entries()) {
      await this.#planes.write(image, size, data.subarray(row * length, (row + 1) * length));
    }
    const feed = { port: input, data, shape: [count, 3, size.height, size.width] };
    const { data: logits, shape } = await this.#part.runOpen([feed], output);
    const each = logits.length / count;
    if (each !== 1 && each !== 2) {
      throw new ModelError(
        graph.file,
        `returns "${output.name}" of the shape [${shape.join(', ')}] for ${count} pictures, not one or two logits ` +
          'each; export it again so, or set safetyChecker to off',
      );
    }
    return images.map((_, row) => {
      const logit = (index: number): number => Number(logits[row * each + index] ?? NaN);
      return sigmoid(each === 1 ? logit(0) : logit(flaggedLogit) - logit(1 - flaggedLogit));
    });
  }
}

/** Of the difference of two logits, it is the softmax. */
function sigmoid(x: number): number {
  return 1 / (1 + Math.exp(-x));
}
