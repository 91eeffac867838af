import type { ModelFolder } from '../../../model/folder.js';
import { Scratch, type OnnxPart } from './onnx-part.js';
import { cropPicture, fillPicture } from './pixels.js';
import { filledSize, latentShape, volume, type Size } from './sizes.js';

type Part = Pick<OnnxPart, 'run' | 'runInto'>;

/** RGB bytes, row by row: at least three for each pixel. */
export interface Picture extends Size {
  readonly data: Uint8Array;
}

/**
 * Both halves of a VAE with the borders of `vaeConversions`, between pictures in bytes and scaled latents. Pictures of a
 * call are of one filled size; results are valid until the next call of the same method.
 */
export class Autoencoder {
  readonly #folder: ModelFolder;
  readonly #encoder: Part;
  readonly #decoder: Part;
  readonly #joined = new Scratch();
  readonly #means = new Scratch();
  #bytes = new Uint8Array(0);

  constructor(folder: ModelFolder, encoder: Part, decoder: Part) {
    this.#folder = folder;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  /** Returns the scaled latent of each picture. */
  async encode(images: readonly Picture[]): Promise<readonly Float32Array[]> {
    const { input, output } = this.#folder.layout.vaeEncoder;
    const filled = this.#filled(images);
    const shape = latentShape(this.#folder, filled);
    const data = this.#join(images, filled);
    const feed = { port: input, data, shape: pictureShape(images.length, filled) };
    const encoded = await this.#encoder.run([feed], output, [images.length, ...shape]);
    const length = volume(shape);
    return images.map((_, i) => encoded.subarray(i * length, (i + 1) * length));
  }

  /**
   * Decodes scaled latents into these pictures.
   * @returns for each whether all its values were finite.
   */
  async decode(latents: readonly Float32Array[], images: readonly Picture[]): Promise<readonly boolean[]> {
    const { input, output, mean } = this.#folder.layout.vaeDecoder;
    const filled = this.#filled(images);
    const shape = latentShape(this.#folder, filled);
    const count = images.length;
    const data = this.#joined.take(count * volume(shape));
    latents.forEach((latent, i) => data.set(latent, i * volume(shape)));
    const bytes = this.#memory(images, filled);
    const means = this.#means.take(3 * count);
    await this.#decoder.runInto(
      [{ port: input, data, shape: [count, ...shape] }],
      [
        { port: output, shape: pictureShape(count, filled), data: bytes },
        { port: mean, shape: [count, 3, 1, 1], data: means },
      ],
    );
    const stride = bytes.length / count;
    return images.map((image, i) => {
      const own = bytes.subarray(i * stride, (i + 1) * stride);
      if (own.buffer !== image.data.buffer) cropPicture(own, filled, image, image.data);
      return means.subarray(3 * i, 3 * i + 3).every(Number.isFinite);
    });
  }

  #filled([first]: readonly Picture[]): Size {
    if (first === undefined) throw new RangeError('a call of the VAE takes at least one picture');
    return filledSize(this.#folder, first);
  }

  /** Returns pictures one after another; a single one that needs no filling as it is. */
  #join(images: readonly Picture[], filled: Size): Uint8Array {
    const bytes = this.#memory(images, filled);
    const stride = bytes.length / images.length;
    images.forEach((image, i) => {
      const own = bytes.subarray(i * stride, (i + 1) * stride);
      if (own.buffer !== image.data.buffer) fillPicture(image.data, image, filled, own);
    });
    return bytes;
  }

  /** Returns memory for filled pictures: that of the picture if there is one that needs no filling. */
  #memory(images: readonly Picture[], filled: Size): Uint8Array {
    const [first, ...others] = images;
    const length = 3 * filled.width * filled.height;
    const isWhole = first?.width === filled.width && first.height === filled.height;
    if (isWhole && others.length === 0) return first.data.subarray(0, length);
    if (this.#bytes.length < images.length * length) this.#bytes = new Uint8Array(images.length * length);
    return this.#bytes.subarray(0, images.length * length);
  }
}

function pictureShape(count: number, { width, height }: Size): readonly number[] {
  return [count, height, width, 3];
}
