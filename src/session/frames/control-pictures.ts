import type { StreamParameters } from '@millrace/protocol';
import { setImmediate } from 'node:timers/promises';
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
  if (preprocessor === null) {
    throw new ImageError(
      'it is missing, and no preprocessor makes it; send it with each frame, or choose a preprocessor in the parameter controls',
    );
  }
  return isPreprocessorName(preprocessor) ? preprocess(preprocessor, image, allocate) : null;
}

/**
 * Makes the pictures of a frame's controls that did not come with it. Each takes milliseconds of the event loop, which
 * gets a turn before each, and controls with the same preprocessor get copies of one.
 */
export class DerivedPictures {
  readonly #image: Image;
  readonly #allocate: Allocate;
  /** By preprocessor. */
  readonly #made = new Map<string, Image>();

  constructor(image: Image, allocate: Allocate) {
    this.#image = image;
    this.#allocate = allocate;
  }

  /** As `derivePicture`. */
  async make(control: Pick<ActiveControl, 'preprocessor'>): Promise<Image | null> {
    const name = control.preprocessor ?? '';
    const same = this.#made.get(name);
    if (same) return preprocess('passthrough', same, this.#allocate);
    await setImmediate();
    const picture = derivePicture(control, this.#image, this.#allocate);
    if (picture) this.#made.set(name, picture);
    return picture;
  }
}
