import type { ModelFolder } from '../../../model/folder.js';
import { Scratch, type OnnxPart } from './onnx-part.js';
import { volume, type Shape } from './sizes.js';

type Part = Pick<OnnxPart, 'run'>;

/**
 * Both halves of a VAE. Latents are scaled as for the training of the U-Net: (encoded - shift) * scale, for each
 * channel. Results are valid until the next call of the same method.
 */
export class Autoencoder {
  readonly #folder: ModelFolder;
  readonly #encoder: Part;
  readonly #decoder: Part;
  readonly #unscaled = new Scratch();
  readonly #channels: readonly { readonly shift: number; readonly scale: number }[];

  constructor(folder: ModelFolder, encoder: Part, decoder: Part) {
    this.#folder = folder;
    this.#encoder = encoder;
    this.#decoder = decoder;
    const { latentChannels, latentStatistics: statistics, scalingFactor, shiftFactor } = folder;
    this.#channels = Array.from({ length: latentChannels }, (_, channel) => ({
      shift: statistics?.mean[channel] ?? shiftFactor,
      scale: scalingFactor / (statistics?.std[channel] ?? 1),
    }));
  }

  /**
   * Returns the scaled latent of a picture.
   * @param planes values from -1 to 1, [3, height, width].
   */
  async encode(planes: Float32Array, shape: Shape, latentShape: Shape): Promise<Float32Array> {
    const { input, output, gives } = this.#folder.layout.vaeEncoder;
    const [channels, height, width] = latentShape;
    const given = [1, gives === 'moments' ? 2 * channels : channels, height, width];
    const feed = { port: input, data: planes, shape: [1, ...shape] };
    // The means come before the log-variances.
    const latent = (await this.#encoder.run([feed], output, given)).subarray(0, volume(latentShape));
    this.#eachChannel(latentShape, (shift, scale, start, end) => {
      for (let i = start; i < end; i++) latent[i] = ((latent[i] ?? 0) - shift) * scale;
    });
    return latent;
  }

  /** Returns the picture of a scaled latent: values of about -1 to 1, [3, height, width]. */
  async decode(latent: Float32Array, latentShape: Shape, shape: Shape): Promise<Float32Array> {
    const { layout } = this.#folder;
    const unscaled = this.#unscaled.take(latent.length);
    this.#eachChannel(latentShape, (shift, scale, start, end) => {
      for (let i = start; i < end; i++) unscaled[i] = (latent[i] ?? 0) / scale + shift;
    });
    const feed = { port: layout.vaeDecoder.input, data: unscaled, shape: [1, ...latentShape] };
    return this.#decoder.run([feed], layout.vaeDecoder.output, [1, ...shape]);
  }

  #eachChannel(
    [, height, width]: Shape,
    action: (shift: number, scale: number, start: number, end: number) => void,
  ): void {
    this.#channels.forEach(({ shift, scale }, channel) => {
      const start = channel * height * width;
      action(shift, scale, start, start + height * width);
    });
  }
}
