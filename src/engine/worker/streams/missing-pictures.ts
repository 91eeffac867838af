import type { StreamParameters } from '@millrace/protocol';
import type { Image } from '../../../image/image.js';
import type { Mask } from '../../../image/mask.js';
import { isPreprocessorName } from '../../../image/preprocess/preprocessors.js';
import type { ActiveControl } from '../../active-controls.js';
import type { FrameInput } from '../../frame-input.js';

/** What each frame of a stream needs besides its own picture. */
export interface NeededPictures {
  readonly controls: readonly ActiveControl[];
  /** The preprocessor that makes its mask; null if it needs none. */
  readonly mask: string | null;
}

/** Returns what frames need that bring neither a mask nor pictures of controls. */
export function neededPictures(
  controls: readonly ActiveControl[],
  { mode, mask_preprocessor: mask }: StreamParameters,
): NeededPictures {
  return { controls, mask: mode === 'img2img' && mask !== 'none' ? mask : null };
}

/** Returns the preprocessor of the model that makes the next picture that a frame lacks; null if it lacks none. */
export function missingPreprocessor(input: FrameInput, { controls, mask }: NeededPictures): string | null {
  if (input.image === null) return null;
  for (const control of controls) {
    const network = networkOf(control);
    if (network !== null && lacks(input, control)) return network;
  }
  return input.mask === undefined ? mask : null;
}

/**
 * Returns the input with the picture that a preprocessor made, wherever that is lacking.
 * @param toMask makes a mask of the picture.
 */
export function supplied(
  input: FrameInput,
  { controls, mask }: NeededPictures,
  { preprocessor, picture }: { readonly preprocessor: string; readonly picture: Image },
  toMask: (picture: Image) => Mask,
): FrameInput {
  const lacking = controls.filter((control) => lacks(input, control) && networkOf(control) === preprocessor);
  const made = lacking.map(({ name }) => [name, picture] as const);
  return {
    ...input,
    ...(made.length > 0 && { controls: { ...input.controls, ...Object.fromEntries(made) } }),
    ...(input.mask === undefined && mask === preprocessor && { mask: toMask(picture) }),
  };
}

function lacks({ controls = {} }: FrameInput, { name }: ActiveControl): boolean {
  return controls[name] === undefined;
}

/** Returns the preprocessor of a control, if it is a network. */
function networkOf({ preprocessor }: ActiveControl): string | null {
  return preprocessor === null || isPreprocessorName(preprocessor) ? null : preprocessor;
}
