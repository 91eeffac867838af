import type { Image } from '../../../image/image.js';
import type { PreprocessorLayout } from '../../../model/layout/preprocessor.js';
import { ModelError } from '../../../model/model-error.js';
import { asError } from '../../as-error.js';
import { ResultDrawing } from './draw-result.js';
import { Scratch, type OnnxPart } from './onnx-part.js';
import { inBatches } from './picture-batch.js';
import { PicturePlanes } from './picture-planes.js';
import { volume, type Size } from './sizes.js';

type Part = Pick<OnnxPart, 'runOpen'>;

/** Sides of the picture that a network is tried with, unless it takes only one size. */
const trialSide = 64;

/** A network that makes control pictures, of several streams in one call. */
export class Preprocessor implements AsyncDisposable {
  readonly #layout: PreprocessorLayout;
  readonly #part: Part;
  readonly #planes: PicturePlanes;
  /** Threads for pictures before and after the network. */
  readonly #threads: number;
  readonly #values = new Scratch();
  /** Draws results of so many channels as the last one had. */
  #drawing: ResultDrawing | null = null;

  private constructor(layout: PreprocessorLayout, part: Part, planes: PicturePlanes, threads: number) {
    this.#layout = layout;
    this.#part = part;
    this.#planes = planes;
    this.#threads = threads;
  }

  /**
   * Tries the network with a black picture, for graphs do not state all of this.
   * @param threads for pictures before and after the network.
   * @throws {ModelError} if it does not take pictures as its configuration says, or returns something else.
   */
  static async create(layout: PreprocessorLayout, part: Part, threads = 1): Promise<Preprocessor> {
    const planes = await PicturePlanes.load(layout, layout.order, threads);
    const preprocessor = new Preprocessor(layout, part, planes, threads);
    const data = new Uint8Array(3 * trialSide * trialSide);
    try {
      await preprocessor.prepare([{ width: trialSide, height: trialSide, data }]);
    } catch (error) {
      await preprocessor[Symbol.asyncDispose]();
      throw error;
    }
    return preprocessor;
  }

  /** Disposes of what it made itself: the network belongs to the caller. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#planes[Symbol.asyncDispose]();
    await this.#drawing?.[Symbol.asyncDispose]();
  }

  /** Returns the size that the network gets for a picture; pictures for which it is equal can share a call. */
  inputSize({ width, height }: Size): Size {
    const { size, multipleOf } = this.#layout;
    const fill = (side: number): number => Math.ceil(side / multipleOf) * multipleOf;
    return size ?? { width: fill(width), height: fill(height) };
  }

  /**
   * Returns control pictures of the sizes of these pictures, in new memory; null where the network computes NaN or
   * infinite values.
   * @param images of equal input size.
   */
  async prepare(images: readonly Image[]): Promise<readonly (Image | null)[]> {
    return inBatches(images, this.#layout.rows, (batch) => this.#call(batch));
  }

  async #call(images: readonly Image[]): Promise<readonly (Image | null)[]> {
    const last = images.at(-1);
    if (last === undefined) return [];
    const { input, output, rows, result } = this.#layout;
    const size = this.inputSize(last);
    const length = 3 * size.width * size.height;
    // If the export fixed the number of pictures, the last one fills the call.
    const count = rows ?? images.length;
    const data = this.#values.take(count * length);
    for (let row = 0; row < count; row++) {
      await this.#planes.write(images[row] ?? last, size, data.subarray(row * length, (row + 1) * length));
    }
    const feed = { port: input, data, shape: [count, 3, size.height, size.width] };
    const { data: values, shape } = await this.#part.runOpen([feed], output).catch((cause: unknown) => {
      const reason = asError(cause).message.trim();
      throw this.#fault(`fails for pictures of ${size.width}x${size.height} pixels: ${reason}`, { cause });
    });
    const [given, channels, height, width] = shape.length === 3 ? shape.toSpliced(1, 0, 1) : shape;
    if (given !== count || !channels || !height || !width || shape.length > 4) {
      const wanted = `[${count}, channels, height, width]`;
      throw this.#fault(`returns "${output.name}" of the shape [${shape.join(', ')}], not ${wanted}`);
    }
    if (result.channel >= channels) {
      throw this.#fault(`returns ${channels} channels, but output.channel is ${result.channel}`);
    }
    const own = volume([channels, height, width]);
    const drawing = await this.#drawingOf(channels);
    const drawn: (Image | null)[] = [];
    for (const [row, image] of images.entries()) {
      const part = values.subarray(row * own, (row + 1) * own);
      drawn.push(await drawing.draw({ values: part, height, width }, image));
    }
    return drawn;
  }

  async #drawingOf(channels: number): Promise<ResultDrawing> {
    if (this.#drawing?.channels === channels) return this.#drawing;
    const former = this.#drawing;
    // If the next one cannot be made, there is none.
    this.#drawing = null;
    await former?.[Symbol.asyncDispose]();
    const { output, result } = this.#layout;
    // Half precision is single precision at the border of a network.
    const type = output.type === 'float16' ? 'float32' : output.type;
    return (this.#drawing = await ResultDrawing.load(result, { type, channels }, this.#threads));
  }

  #fault(problem: string, options?: ErrorOptions): ModelError {
    const advice = 'correct the size and kind in config.json beside it, or export it again';
    return new ModelError(this.#layout.graph.file, `${problem}; ${advice}`, options);
  }
}
