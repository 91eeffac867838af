import type { RowValues } from '../../../diffusion/stream.js';
import type { Image } from '../../../image/image.js';
import type { FrameInput } from '../../frame-input.js';
import type { FeatureSource } from '../networks/control-networks.js';
import type { Size } from '../networks/sizes.js';
import type { LiveStream } from './live-stream.js';

export type ControlPictures = NonNullable<FrameInput['controls']>;

/** What the controls of a stream make of a frame's pictures, and copies of these, if they are shown with its result. */
export interface ControlFeatures {
  readonly features: RowValues;
  readonly shown: ControlPictures | null;
}

/**
 * Returns what the controls that are on make of a frame's pictures; one without a picture has no effect on the frame.
 * @throws {NotFiniteError} if a control network computes values that are not finite.
 */
export async function controlFeatures(
  source: FeatureSource | null,
  { steered, pictures }: Pick<LiveStream, 'steered' | 'pictures'>,
  { image, controls = {} }: FrameInput,
  size: Size,
): Promise<ControlFeatures> {
  const features: Record<string, Float32Array> = {};
  const used: Record<string, Image> = {};
  if (source === null || steered.controls.length === 0) return { features, shown: null };
  for (const control of steered.controls) {
    const picture = controls[control.name] ?? pictures.feedbackFor(control, image);
    if (!picture) continue;
    used[control.name] = picture;
    Object.assign(features, await source.features(control.name, picture.data, size));
  }
  return { features, shown: pictures.preview(used) };
}
