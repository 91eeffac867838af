import type { StreamParameters } from '@millrace/protocol';
import type { ActiveControl } from '../../engine/active-controls.js';
import { type Allocate, type Image, ImageError } from '../../image/image.js';
import { isPreprocessorName, preprocess } from '../../image/preprocess/preprocessors.js';

/** Returns whether frames need pictures of other controls, or made in another way, after a change of parameters. */
export function needsOtherPictures(before: StreamParameters, after: StreamParameters): boolean {
  const [old, wanted] = [before, after].map(({ controls }) =>
    Object.entries(controls).flatMap(([name, { scale, preprocessor }]) =>
      scale > 0 ? [[name, preprocessor]] : [],
    ),
  );
  return JSON.stringify(old) !== JSON.stringify(wanted);
}

/**
 * Makes a control's picture from the frame.
 * @returns null if the engine does, with a network or from the last result.
 * @throws {ImageError} if nothing does.
 */
export function derivePicture(
  { preprocessor }: Pick<ActiveControl, 'preprocessor'>,
  image: Image,
  allocate: Allocate,
): Image | null {
  if (preprocessor === null) throw new ImageError('it is missing, and no preprocessor makes it');
  return isPreprocessorName(preprocessor) ? preprocess(preprocessor, image, allocate) : null;
}
