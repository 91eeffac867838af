import type { ModelFolder } from '../../../model/folder.js';

type Statistics = Pick<ModelFolder, 'latentChannels' | 'latentStatistics' | 'scalingFactor' | 'shiftFactor'>;

/** Scales latents as for the training of the U-Net: (encoded - shift) * scale, for each channel. */
export class LatentScaling {
  readonly #channels: readonly { readonly shift: number; readonly scale: number }[];

  constructor({ latentChannels, latentStatistics: statistics, scalingFactor, shiftFactor }: Statistics) {
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
      const factor = 1 / scale;
      for (let i = start; i < end; i++) out[i] = (latent[i] ?? 0) * factor + shift;
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
