import type { Allocate, Image } from '../../image/image.js';

/** The preprocessors that need no network. */
type PreprocessorName = 'passthrough';

/** Returns whether a preprocessor of this name needs no network. */
export function isPreprocessorName(name: string): name is PreprocessorName {
  return name === 'passthrough';
}

/** Makes the picture of a control from a frame, without changing it; always in memory of its own. */
export function preprocess(
  _name: PreprocessorName,
  { width, height, data }: Image,
  allocate: Allocate,
): Image {
  const pixels = data.subarray(0, width * height * 3);
  const own = allocate(pixels.length);
  own.set(pixels);
  return { width, height, data: own };
}
