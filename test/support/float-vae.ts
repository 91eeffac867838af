import { OnnxPart } from '../../src/engine/worker/networks/onnx-part.js';
import { latentShape, type Size } from '../../src/engine/worker/networks/sizes.js';
import type { ModelFolder } from '../../src/model/folder.js';

/** Scales latents as for the training of the U-Net: (encoded - shift) * scale, for each channel. */
class LatentScaling {
  readonly #channels: readonly { readonly shift: number; readonly scale: number }[];

  constructor({ latentChannels, latentStatistics: statistics, scalingFactor, shiftFactor }: ModelFolder) {
    this.#channels = Array.from({ length: latentChannels }, (_, channel) => ({
      shift: statistics?.mean[channel] ?? shiftFactor,
      scale: scalingFactor / (statistics?.std[channel] ?? 1),
    }));
  }

  /** Scales what an encoder gave. @param latent [channels, height, width], changed in place. */
  scale(latent: Float32Array): void {
    this.#eachChannel(latent, (shift, scale, start, end) => {
      for (let i = start; i < end; i++) latent[i] = ((latent[i] ?? 0) - shift) * scale;
    });
  }

  /** Writes what a decoder takes. @param out as long as the latent. */
  unscale(latent: Float32Array, out: Float32Array): void {
    this.#eachChannel(latent, (shift, scale, start, end) => {
      for (let i = start; i < end; i++) out[i] = (latent[i] ?? 0) / scale + shift;
    });
  }

  #eachChannel(
    { length }: Float32Array,
    action: (shift: number, scale: number, start: number, end: number) => void,
  ): void {
    const area = length / this.#channels.length;
    this.#channels.forEach(({ shift, scale }, channel) => {
      action(shift, scale, channel * area, (channel + 1) * area);
    });
  }
}

/** The VAE of a model as its files have it: with pictures as planes [3, height, width] of -1 to 1. */
class FloatVae {
  readonly #folder: ModelFolder;
  readonly #encoder: OnnxPart;
  readonly #decoder: OnnxPart;
  readonly #scaling: LatentScaling;

  private constructor(folder: ModelFolder, encoder: OnnxPart, decoder: OnnxPart) {
    this.#folder = folder;
    this.#encoder = encoder;
    this.#decoder = decoder;
    this.#scaling = new LatentScaling(folder);
  }

  static async load(folder: ModelFolder): Promise<FloatVae> {
    const { vaeEncoder, vaeDecoder } = folder.layout;
    return new FloatVae(
      folder,
      await OnnxPart.load(vaeEncoder.graph.file, {}),
      await OnnxPart.load(vaeDecoder.graph.file, {}),
    );
  }

  async encode(planes: Float32Array, size: Size): Promise<Float32Array> {
    const { input, output, gives } = this.#folder.layout.vaeEncoder;
    const [channels, height, width] = latentShape(this.#folder, size);
    const feed = { port: input, data: planes, shape: [1, 3, size.height, size.width] };
    const given = [1, gives === 'moments' ? 2 * channels : channels, height, width];
    const latent = (await this.#encoder.run([feed], output, given)).subarray(0, channels * height * width);
    this.#scaling.scale(latent);
    return latent;
  }

  async decode(latent: Float32Array, size: Size): Promise<Float32Array> {
    const { input, output } = this.#folder.layout.vaeDecoder;
    const data = new Float32Array(latent.length);
    this.#scaling.unscale(latent, data);
    const feed = { port: input, data, shape: [1, ...latentShape(this.#folder, size)] };
    return this.#decoder.run([feed], output, [1, 3, size.height, size.width]);
  }
}

const loaded = new Map<ModelFolder, Promise<FloatVae>>();

/** Returns the VAE of a model; tests share it. */
export function floatVaeOf(folder: ModelFolder): Promise<FloatVae> {
  const known = loaded.get(folder) ?? FloatVae.load(folder);
  loaded.set(folder, known);
  return known;
}
