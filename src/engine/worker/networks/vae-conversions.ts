import type { ModelFolder } from '../../../model/folder.js';
import type { Levels, ChannelScaling, Conversions } from '../../../model/onnx/borders.js';

type Folder = Pick<
  ModelFolder,
  'layout' | 'latentChannels' | 'latentStatistics' | 'scalingFactor' | 'shiftFactor'
>;

/** The values of pictures in graphs of a VAE that take or give planes. */
const levels: Levels = { black: -1, white: 1 };

/**
 * Returns what becomes of the ports of both halves of a VAE when they are loaded. Pictures are bytes then, and latents
 * scaled as for the training of the U-Net: (encoded - shift) * scale, for each channel.
 */
export function vaeConversions(folder: Folder): Readonly<Record<'encoder' | 'decoder', Conversions>> {
  const { vaeEncoder, vaeDecoder } = folder.layout;
  const channels = channelsOf(folder);
  const encoded = {
    scale: channels.map(({ scale }) => scale),
    shift: channels.map(({ scale, shift }) => -shift * scale),
  };
  const decoded = {
    scale: channels.map(({ scale }) => 1 / scale),
    shift: channels.map(({ shift }) => shift),
  };
  const pictures = ({ pictures }: { readonly pictures: 'planes' | 'bytes' }, port: string) =>
    pictures === 'planes' ? [[port, levels] as const] : [];
  return {
    encoder: new Map<string, Levels | ChannelScaling>([
      ...pictures(vaeEncoder, vaeEncoder.input.name),
      [vaeEncoder.output.name, encoded],
    ]),
    decoder: new Map<string, Levels | ChannelScaling>([
      [vaeDecoder.input.name, decoded],
      ...pictures(vaeDecoder, vaeDecoder.output.name),
    ]),
  };
}

function channelsOf({
  latentChannels,
  latentStatistics: statistics,
  scalingFactor,
  shiftFactor,
}: Folder): readonly { readonly shift: number; readonly scale: number }[] {
  return Array.from({ length: latentChannels }, (_, channel) => ({
    shift: statistics?.mean[channel] ?? shiftFactor,
    scale: scalingFactor / (statistics?.std[channel] ?? 1),
  }));
}
