import type { ModelFolder } from '../../model/folder.js';
import { Scratch, volume, type OnnxPart } from './onnx-part.js';

/** [channels, height, width] */
export type Shape = readonly [number, number, number];

/**
 * The two halves of a VAE, in latents as the U-Net was trained on: (encoded - shift) * scale. What they return is
 * valid until the next call of the same method.
 */
export class Autoencoder {
  readonly #folder: ModelFolder;
  readonly #encoder: OnnxPart;
  readonly #decoder: OnnxPart;
  readonly #unscaled = new Scratch();

  constructor(folder: ModelFolder, encoder: OnnxPart, decoder: OnnxPart) {
    this.#folder = folder;
    this.#encoder = encoder;
    this.#decoder = decoder;
  }

  /**
   * The scaled latent of a picture.
   * @param planes values from -1 to 1, [3, height, width].
   */
  async encode(planes: Float32Array, shape: Shape, latentShape: Shape): Promise<Float32Array> {
    const { scalingFactor, shiftFactor, layout } = this.#folder;
    const { input, output, gives } = layout.vaeEncoder;
    const [channels, height, width] = latentShape;
    const given = [1, gives === 'moments' ? 2 * channels : channels, height, width];
    const feed = { port: input, data: planes, shape: [1, ...shape] };
    // The means come before the log-variances.
    const latent = (await this.#encoder.run([feed], output, given)).subarray(0, volume(latentShape));
    for (let i = 0; i < latent.length; i++) latent[i] = ((latent[i] ?? 0) - shiftFactor) * scalingFactor;
    return latent;
  }

  /** Values about -1 to 1, [3, height, width], of a scaled latent. */
  async decode(latent: Float32Array, latentShape: Shape, shape: Shape): Promise<Float32Array> {
    const { scalingFactor, shiftFactor, layout } = this.#folder;
    const unscaled = this.#unscaled.take(latent.length);
    for (let i = 0; i < latent.length; i++) unscaled[i] = (latent[i] ?? 0) / scalingFactor + shiftFactor;
    const feed = { port: layout.vaeDecoder.input, data: unscaled, shape: [1, ...latentShape] };
    return this.#decoder.run([feed], layout.vaeDecoder.output, [1, ...shape]);
  }
}
